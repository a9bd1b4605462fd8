-- Raw bars with their forward factors. A correction, a late action or a late reference is a new version of each bar
-- that it touches; what was believed before stays.
with bars as (
    select *, lead(available_at) over (partition by symbol, session order by available_at) as until
    from {{ ref('stg_equity_bars') }}
),

actions as (
    select * from {{ ref('corporate_actions') }}
),

published as (
    select symbol, session, min(available_at) as published_at from bars group by all
),

-- Materialized: where actions or first bars are joined with owners and with this at once, every bar may be compared with
-- every one of them, by time alone.
owners as materialized (
    select
        owners.*, published.published_at,
        lead(available_at) over (partition by symbol, session order by available_at) as until
    from {{ ref('stg_bar_owners') }} as owners
    join published using (symbol, session)
),

-- From when until when a bar was held to be an instrument's.
held as (
    select
        instrument_id, session, greatest(published_at, available_at) as held_from,
        case when until is not null then greatest(published_at, until) end as held_until
    from owners
    where instrument_id is not null and (until is null or published_at < until)
),

-- Where an instrument loses bars to another, what was its first bar is told anew.
spells as (
    select *, lead(begins) over (partition by instrument_id order by begins) as ends
    from (
        select distinct instrument_id, timestamptz '-infinity' as begins from held
        union
        select distinct instrument_id, held_until from held where held_until is not null
    )
),

-- The first bar of an instrument as known: factors count later actions only.
first_bars as (
    select held.instrument_id, held.session as first_session, greatest(held.held_from, spells.begins) as available_at
    from held
    join spells
        on spells.instrument_id = held.instrument_id
        and (spells.ends is null or held.held_from < spells.ends)
        and (held.held_until is null or spells.begins < held.held_until)
    qualify held.session < coalesce(
        min(held.session) over (
            partition by held.instrument_id, spells.begins
            order by greatest(held.held_from, spells.begins), held.session
            rows between unbounded preceding and 1 preceding
        ),
        held.session + 1
    )
),

moments as (
    select symbol, session, available_at from bars
    union
    select symbol, session, available_at from owners where available_at > published_at
    union
    select owners.symbol, owners.session, actions.available_at
    from actions
    join owners on owners.instrument_id = actions.instrument_id and owners.session >= actions.ex_date
    -- One that was known when its day began was known before any bar that it touches.
    where actions.available_at > actions.event_time and actions.available_at > owners.published_at
    union
    select owners.symbol, owners.session, f.available_at
    from first_bars as f
    join owners on owners.instrument_id = f.instrument_id
    where f.available_at > owners.published_at
),

believed as (
    select m.symbol, m.session, m.available_at, owners.instrument_id,
        bars.open, bars.high, bars.low, bars.close, bars.volume, bars.event_time, bars.ingested_at
    from moments as m
    join bars
        on bars.symbol = m.symbol and bars.session = m.session
        and m.available_at >= bars.available_at and (bars.until is null or m.available_at < bars.until)
    join owners
        on owners.symbol = m.symbol and owners.session = m.session
        and m.available_at >= owners.available_at and (owners.until is null or m.available_at < owners.until)
),

owned as (
    select believed.*, f.first_session
    from believed
    asof left join first_bars as f
        on f.instrument_id = believed.instrument_id and believed.available_at >= f.available_at
),

-- Factors change with an ex-date passed and with a word learned, and with nothing between: worked out once for each
-- such stretch, not for each bar.
ex_dates as (
    select distinct instrument_id, ex_date from actions
),

words as (
    select distinct instrument_id, available_at from actions
),

placed as (
    select owned.*, ex_dates.ex_date as last_ex_date, words.available_at as last_word
    from owned
    asof left join ex_dates
        on ex_dates.instrument_id = owned.instrument_id and owned.session >= ex_dates.ex_date
    asof left join words
        on words.instrument_id = owned.instrument_id and owned.available_at >= words.available_at
),

stretches as (
    select distinct instrument_id, first_session, last_ex_date, last_word from placed
    where last_ex_date > first_session and last_word is not null
),

counted as (
    select stretches.*, a.kind, a.ex_date, a.multiplier, a.ingested_at, a.withdrawn
    from stretches
    join actions as a
        on a.instrument_id = stretches.instrument_id
        and a.ex_date > stretches.first_session and a.ex_date <= stretches.last_ex_date
        and a.available_at <= stretches.last_word
    qualify row_number() over (
        partition by stretches.instrument_id, first_session, last_ex_date, last_word, a.kind, a.ex_date
        order by a.available_at desc
    ) = 1
),

-- Products in a fixed order, because floats round.
factors as (
    select
        instrument_id, first_session, last_ex_date, last_word,
        list_reduce(list(multiplier order by ex_date, kind) filter (kind = 'split'), lambda f, x: f * x) as split_factor,
        list_reduce(list(multiplier order by ex_date, kind), lambda f, x: f * x) as total_return_factor,
        max(ingested_at) as ingested_at
    from counted
    where not withdrawn
    group by all
),

answers as (
    select
        placed.* exclude (first_session, last_ex_date, last_word)
            replace (greatest(placed.ingested_at, coalesce(factors.ingested_at, placed.ingested_at)) as ingested_at),
        coalesce(factors.split_factor, 1.0) as split_factor,
        coalesce(factors.total_return_factor, 1.0) as total_return_factor
    from placed
    left join factors using (instrument_id, first_session, last_ex_date, last_word)
)

select
    instrument_id, session, symbol,
    open, high, low, close, volume,
    split_factor, total_return_factor,
    withdrawn, event_time, available_at, ingested_at
from {{ versions_of('answers', ['symbol', 'session'],
    ['open', 'high', 'low', 'close', 'volume', 'split_factor', 'total_return_factor']) }}
