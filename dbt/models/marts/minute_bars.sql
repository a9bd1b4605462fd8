-- Minute bars of the regular session under permanent ids. A minute that nobody owns yet waits for its owner.
with bars as (
    select *, lead(available_at) over (partition by symbol, bar_start order by available_at) as until
    from {{ ref('stg_equity_minutes') }}
),

owners as (
    select *, lead(available_at) over (partition by symbol, session order by available_at) as until
    from {{ ref('stg_bar_owners') }}
),

moments as (
    select symbol, session, bar_start, available_at from bars
    union
    select bars.symbol, bars.session, bars.bar_start, owners.available_at
    from bars
    join owners using (symbol, session)
    where owners.available_at > bars.available_at
),

answers as (
    select m.symbol, m.session, m.bar_start, m.available_at, owners.instrument_id,
        bars.open, bars.high, bars.low, bars.close, bars.volume, bars.event_time, bars.ingested_at
    from moments as m
    join bars
        on bars.symbol = m.symbol and bars.bar_start = m.bar_start
        and m.available_at >= bars.available_at and (bars.until is null or m.available_at < bars.until)
    join owners
        on owners.symbol = m.symbol and owners.session = m.session
        and m.available_at >= owners.available_at and (owners.until is null or m.available_at < owners.until)
)

select
    instrument_id, bar_start, session, symbol,
    open, high, low, close, volume,
    withdrawn, event_time, available_at, ingested_at
from {{ versions_of('answers', ['symbol', 'bar_start'], ['open', 'high', 'low', 'close', 'volume']) }}
