-- Minute bars under the ticker of their day.
select
    ticker as symbol,
    session,
    bar_start,
    -- values
    open, high, low, close, volume,
    -- clocks
    event_time, available_at, ingested_at
from {{ source('facts', 'equity_minutes') }}
qualify {{ one_of(['ticker', 'bar_start', 'available_at'], 'ingested_at desc, body_sha256') }}
