-- Chains as published: one row per snapshot and contract, whoever took the picture.
with told as (
    select *, 0 as distrust from {{ source('facts', 'option_chain') }}
    union all by name
    select *, 1 as distrust from {{ source('facts', 'option_snapshots') }}
)

select
    underlying, session, snapshot, contract, root, expiry,
    "right", strike, adjusted,
    spot, iv30,
    bid, ask, last_price, volume, open_interest,
    iv, delta, gamma, vega, theta,
    event_time, available_at, ingested_at
from told
qualify {{ one_of(['snapshot', 'contract', 'available_at'], 'distrust, ingested_at desc, body_sha256') }}
