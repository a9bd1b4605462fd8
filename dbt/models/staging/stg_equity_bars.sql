-- Daily bars under the ticker of their day. A less trusted source never overrules a more trusted one.
-- Five models read them, so that they are worked out once.
{{ config(materialized='table') }}
with source as (
    select * from {{ source('facts', 'equity_bars') }}
),

ranked as (
    select
        ticker as symbol,
        session,
        -- values
        open, high, low, close, volume,
        -- clocks
        event_time, available_at, ingested_at,
        {{ distrust('source') }} as distrust,
        body_sha256
    from source
),

trusted as (
    select * from ranked
    qualify distrust <= min(distrust) over (partition by symbol, session order by available_at)
        and {{ one_of(['symbol', 'session', 'available_at'], 'distrust, ingested_at desc, body_sha256') }}
)

select * exclude (distrust, body_sha256)
from trusted
qualify {{ changed(['open', 'high', 'low', 'close', 'volume'], ['symbol', 'session']) }}
