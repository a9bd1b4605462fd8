-- Trades with the aggressor's side: B the buyer, A the seller, N nobody.
select
    -- CME writes one digit of the year: the next such year, seen from the trade.
    'CME:' || symbol || ':' || (
        year(session) + (cast(right(symbol, 1) as integer) - year(session) % 10 + 10) % 10
    ) as instrument_id,
    symbol, root, session,
    ts_event, sequence, print_no,
    price, size, side,
    event_time, available_at, ingested_at
from {{ source('facts', 'futures_trades') }}
qualify {{ one_of(['symbol', 'ts_event', 'sequence', 'print_no', 'available_at'], 'ingested_at desc, body_sha256') }}
