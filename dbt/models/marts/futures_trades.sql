-- Trades with the aggressor's side: B the buyer, A the seller, N nobody.
with trades as (
    select * from {{ source('facts', 'futures_trades') }}
    qualify {{ one_of(['symbol', 'ts_event', 'sequence', 'print_no', 'available_at'], 'ingested_at desc, body_sha256') }}
)

select
    instrument_id, symbol, root, session,
    ts_event, sequence, print_no,
    price, size, side,
    event_time, available_at, ingested_at
from {{ of_living_contracts('trades', 'ts_event') }}
