-- The vendor's own bars of seconds and minutes, of contracts that were alive.
with bars as (
    select * from {{ source('facts', 'futures_ohlcv') }}
    qualify {{ one_of(['symbol', 'span_s', 'bar_start', 'available_at'], 'ingested_at desc, body_sha256') }}
)

select
    instrument_id, symbol, root, session, span_s, bar_start,
    open, high, low, close, volume,
    event_time, available_at, ingested_at
from {{ of_living_contracts('bars', 'bar_start') }}
