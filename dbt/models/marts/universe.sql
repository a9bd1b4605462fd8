-- Who had a ticker on each session, as known at any moment since. What is learned after the decision (a name that began
-- that very day, a death told late, an id that a late reference replaces) moves who belonged there; who was `tradable`
-- stays as it was said in time.
with decided as materialized (
    select * from {{ ref('stg_universe_decided') }}
),

asked as materialized (
    select * from {{ ref('stg_decisions') }}
),

symbols as (
    select * from {{ ref('symbols') }}
),

beliefs as (
    select
        *, coalesce(valid_to, date '9999-12-31') as end_day, row_number() over told as version,
        lag(symbol) over told as former_symbol, lag(withdrawn) over told as formerly_withdrawn,
        lag(coalesce(valid_to, date '9999-12-31')) over told as former_end_day
    from symbols
    window told as (partition by instrument_id, valid_from order by available_at)
),

-- The days of which a belief says something else than the one before it: of an end that moved, those between the two.
changes as (
    select
        instrument_id, available_at,
        case
            when version = 1 or symbol <> former_symbol or withdrawn <> formerly_withdrawn then valid_from
            else least(end_day, former_end_day)
        end as from_day,
        greatest(end_day, former_end_day) as to_day
    from beliefs
    where version > 1 or not withdrawn
),

-- Of sessions decided in time, those whose decision lies before the belief.
afterwards as (
    select
        c.instrument_id, c.available_at,
        unnest(range(b.session_no, least(e.session_no, k.session_no, l.end_no))) as session_no
    from changes as c
    cross join (select max(session_no) + 1 as end_no from asked) as l
    asof join (select session as first_day, session_no from asked) as b on b.first_day >= c.from_day
    asof left join (select session as end_day, session_no from asked) as e on e.end_day >= c.to_day
    asof left join (select decision_at, session_no from asked) as k on k.decision_at >= c.available_at
),

moments as (
    select d.session_no, a.instrument_id, a.available_at
    from afterwards as a
    join asked as d on d.session_no = a.session_no and d.in_time
    union
    -- Of the others nothing was said in time; so of them all of it.
    select d.session_no, c.instrument_id, greatest(c.available_at, d.ready_at)
    from changes as c
    join asked as d on d.session >= c.from_day and d.session < c.to_day and not d.in_time
),

dated as materialized (
    select m.instrument_id, m.available_at, d.session, d.session_no, d.previous_close_at, row_number() over () as moment_no
    from moments as m
    join asked as d using (session_no)
),

kinds as (
    select m.moment_no, i.asset_class
    from dated as m
    asof join (select * from {{ ref('instruments') }} where asset_class = 'equity') as i
        on i.instrument_id = m.instrument_id and m.available_at >= i.available_at
),

said as (
    select session, candidate, arg_max(tradable, available_at) as tradable from decided group by all
),

answers as (
    select * from decided
    union all by name
    select
        m.session, m.instrument_id as candidate,
        case when n.symbol is not null then m.instrument_id end as instrument_id,
        n.symbol,
        coalesce(k.asset_class, 'equity') as asset_class,
        coalesce(n.symbol is not null and s.tradable, false) as tradable,
        m.previous_close_at as event_time, m.available_at, n.ingested_at
    from dated as m
    left join {{ names_at('dated', 'symbols') }} as n using (moment_no)
    left join kinds as k using (moment_no)
    left join said as s on s.session = m.session and s.candidate = m.instrument_id
)

select session, instrument_id, symbol, asset_class, tradable, withdrawn, event_time, available_at, ingested_at
from {{ versions_of('answers', ['session', 'candidate'], ['symbol', 'asset_class', 'tradable']) }}
