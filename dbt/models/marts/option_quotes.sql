-- Chains as published: one row per snapshot and contract.
select
    underlying, session, snapshot, contract, root, expiry,
    "right", strike, adjusted,
    spot, iv30,
    bid, ask, last_price, volume, open_interest,
    iv, delta, gamma, vega, theta,
    event_time, available_at, ingested_at
from {{ source('facts', 'option_chain') }}
qualify {{ one_of(['snapshot', 'contract', 'available_at'], 'ingested_at desc, body_sha256') }}
