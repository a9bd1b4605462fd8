-- One-minute bars. Three may tell of a minute: its trades, the vendor's own bar of it, and the vendor's bars of its
-- seconds. A print or a bar that arrives late is a new version; a minute without any has no bar.
with pieces as (
    select
        0 as teller, instrument_id, symbol, root, session, date_trunc('minute', ts_event) as bar_start,
        ts_event as piece_at, sequence, print_no,
        price as open, price as high, price as low, price as close, size as volume, 1 as prints,
        available_at, ingested_at
    from {{ ref('futures_trades') }}
    union all
    select
        case span_s when 60 then 1 else 2 end, instrument_id, symbol, root, session, date_trunc('minute', bar_start),
        bar_start, 0, 0,
        open, high, low, close, volume, null,
        available_at, ingested_at
    from {{ ref('stg_futures_ohlcv') }}
),

moments as (
    select distinct
        teller, symbol, bar_start,
        greatest(available_at, bar_start + interval 1 minute + {{ feed_delay() }}) as available_at
    from pieces
),

known as (
    select moments.available_at as known_at, pieces.*
    from moments
    join pieces using (teller, symbol, bar_start)
    where pieces.available_at <= moments.available_at
    qualify row_number() over (
        partition by teller, symbol, bar_start, moments.available_at, piece_at, sequence, print_no
        order by pieces.available_at desc
    ) = 1
),

told as (
    select
        arg_max(instrument_id, row(piece_at, sequence, print_no)) as instrument_id,
        teller, symbol, root, session, bar_start,
        arg_min(open, row(piece_at, sequence, print_no)) as open,
        max(high) as high,
        min(low) as low,
        arg_max(close, row(piece_at, sequence, print_no)) as close,
        sum(volume)::bigint as volume,
        sum(prints)::bigint as trades,
        known_at,
        max(ingested_at) as ingested_at
    from known
    group by teller, symbol, root, session, bar_start, known_at
),

-- Each one's last word at every moment at which any of them said something new.
answers as (
    select m.known_at as available_at, told.*
    from (select distinct symbol, bar_start, known_at from told) as m
    join told on told.symbol = m.symbol and told.bar_start = m.bar_start and told.known_at <= m.known_at
    qualify told.known_at = max(told.known_at) over (partition by told.symbol, told.bar_start, m.known_at, teller)
),

-- Who counts the most contracts has seen the most of the minute; trades that are as many say more than a bar does.
bars as (
    select * exclude (known_at), bar_start + interval 1 minute as event_time
    from answers
    qualify row_number() over (partition by symbol, bar_start, available_at order by volume desc, teller) = 1
)

select
    instrument_id, symbol, root, session, bar_start,
    open, high, low, close, volume, trades,
    event_time, available_at, ingested_at
from bars
qualify {{ changed(['session', 'open', 'high', 'low', 'close', 'volume', 'trades'], ['symbol', 'bar_start']) }}
