-- One-minute bars out of trades; a minute without trades has no bar. A print that arrives late is a new version.
with trades as (
    select *, date_trunc('minute', ts_event) as bar_start
    from {{ ref('futures_trades') }}
),

moments as (
    select distinct
        symbol, bar_start,
        greatest(available_at, bar_start + interval 1 minute + {{ feed_delay() }}) as available_at
    from trades
),

known as (
    select moments.available_at as known_at, trades.*
    from moments
    join trades using (symbol, bar_start)
    where trades.available_at <= moments.available_at
    qualify row_number() over (
        partition by symbol, bar_start, moments.available_at, ts_event, sequence, print_no
        order by trades.available_at desc
    ) = 1
),

bars as (
    select
        instrument_id, symbol, root, session, bar_start,
        arg_min(price, row(ts_event, sequence, print_no)) as open,
        max(price) as high,
        min(price) as low,
        arg_max(price, row(ts_event, sequence, print_no)) as close,
        sum(size)::bigint as volume,
        count(*) as trades,
        bar_start + interval 1 minute as event_time,
        known_at as available_at,
        max(ingested_at) as ingested_at
    from known
    group by instrument_id, symbol, root, session, bar_start, known_at
)

select *
from bars
qualify {{ changed(['session', 'open', 'high', 'low', 'close', 'volume', 'trades'], ['symbol', 'bar_start']) }}
