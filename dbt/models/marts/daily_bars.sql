-- Raw bars with their forward factors. A correction, a late action or a late reference is a new version of each bar
-- that it touches; what was believed before stays.
with bars as (
    select * from {{ ref('stg_equity_bars') }}
),

owners as (
    select owners.*
    from {{ ref('stg_bar_owners') }} as owners
    semi join bars using (symbol, session)
),

actions as (
    select * from {{ ref('corporate_actions') }}
),

published as (
    select symbol, session, min(available_at) as published_at from bars group by all
),

-- The first bar of an instrument as known: factors count later actions only.
first_bars as (
    select
        owners.instrument_id, owners.session as first_session, greatest(p.published_at, owners.available_at) as available_at
    from owners
    join published as p using (symbol, session)
    where owners.instrument_id is not null
    qualify owners.session < coalesce(
        min(owners.session) over (
            partition by owners.instrument_id
            order by greatest(p.published_at, owners.available_at), owners.session
            rows between unbounded preceding and 1 preceding
        ),
        owners.session + 1
    )
),

moments as (
    select symbol, session, available_at from bars
    union
    select symbol, session, owners.available_at
    from owners
    join published as p using (symbol, session)
    where owners.available_at > p.published_at
    union
    select owners.symbol, owners.session, actions.available_at
    from actions
    join owners on owners.instrument_id = actions.instrument_id and owners.session >= actions.ex_date
    join published as p on p.symbol = owners.symbol and p.session = owners.session
    where actions.available_at > p.published_at
    union
    select owners.symbol, owners.session, f.available_at
    from first_bars as f
    join owners on owners.instrument_id = f.instrument_id
    join published as p on p.symbol = owners.symbol and p.session = owners.session
    where f.available_at > p.published_at
),

believed as (
    select m.symbol, m.session, m.available_at, owners.instrument_id,
        bars.open, bars.high, bars.low, bars.close, bars.volume, bars.event_time, bars.ingested_at
    from moments as m
    asof join bars
        on bars.symbol = m.symbol and bars.session = m.session and m.available_at >= bars.available_at
    asof join owners
        on owners.symbol = m.symbol and owners.session = m.session and m.available_at >= owners.available_at
),

owned as (
    select believed.*, f.first_session
    from believed
    asof left join first_bars as f
        on f.instrument_id = believed.instrument_id and believed.available_at >= f.available_at
),

counted as (
    select owned.symbol, owned.session, owned.available_at, a.kind, a.ex_date, a.multiplier, a.ingested_at, a.withdrawn
    from owned
    join actions as a
        on a.instrument_id = owned.instrument_id
        and a.ex_date > owned.first_session and a.ex_date <= owned.session
        and a.available_at <= owned.available_at
    qualify row_number() over (
        partition by owned.symbol, owned.session, owned.available_at, a.kind, a.ex_date order by a.available_at desc
    ) = 1
),

-- Products in a fixed order, because floats round.
factors as (
    select
        symbol, session, available_at,
        list_reduce(list(multiplier order by ex_date, kind) filter (kind = 'split'), lambda f, x: f * x) as split_factor,
        list_reduce(list(multiplier order by ex_date, kind), lambda f, x: f * x) as total_return_factor,
        max(ingested_at) as ingested_at
    from counted
    where not withdrawn
    group by all
),

answers as (
    select
        owned.* exclude (first_session)
            replace (greatest(owned.ingested_at, coalesce(factors.ingested_at, owned.ingested_at)) as ingested_at),
        coalesce(factors.split_factor, 1.0) as split_factor,
        coalesce(factors.total_return_factor, 1.0) as total_return_factor
    from owned
    left join factors using (symbol, session, available_at)
)

select
    instrument_id, session, symbol,
    open, high, low, close, volume,
    split_factor, total_return_factor,
    withdrawn, event_time, available_at, ingested_at
from {{ versions_of('answers', ['symbol', 'session'],
    ['open', 'high', 'low', 'close', 'volume', 'split_factor', 'total_return_factor']) }}
