-- Minute bars under the ticker of their day. A less trusted source never overrules a more trusted one.
with source as (
    select
        ticker as symbol,
        session,
        bar_start,
        -- values
        open, high, low, close, volume,
        -- clocks
        event_time, available_at, ingested_at,
        {{ distrust('source') }} as distrust,
        body_sha256
    from {{ source('facts', 'equity_minutes') }}
)

select * exclude (distrust, body_sha256)
from source
qualify distrust <= min(distrust) over (partition by symbol, bar_start order by available_at)
    and {{ one_of(['symbol', 'bar_start', 'available_at'], 'distrust, ingested_at desc, body_sha256') }}
