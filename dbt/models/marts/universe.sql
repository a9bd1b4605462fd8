-- Who could be chosen in a session, the dead included, and who was tradable by what was known half an hour before the
-- open. The coming session has its rows as soon as the bars of the last one are out.
with decisions as (
    select s.session, s.session_no, s.previous_session, s.previous_close_at, s.decision_at, bars.ready_at
    from {{ ref('stg_sessions') }} as s
    join (
        select session as previous_session, min(available_at) as ready_at from {{ ref('stg_equity_bars') }} group by all
    ) as bars using (previous_session)
    where bars.ready_at <= s.decision_at
),

bars as (
    select b.*, s.session_no
    from {{ ref('daily_bars') }} as b
    join {{ ref('stg_sessions') }} as s using (session)
),

symbols as (
    select * from {{ ref('symbols') }}
),

instruments as (
    select * from {{ ref('instruments') }} where asset_class = 'equity'
),

-- What is learned after the last bars and before the decision: corrections, renames and deaths that take effect.
late_bars as (
    select bars.*
    from bars
    join decisions as d on d.previous_session = bars.session
    where bars.available_at > d.ready_at
),

moments as (
    select d.session, s.instrument_id, greatest(d.ready_at, s.available_at) as available_at
    from decisions as d
    join symbols as s on s.available_at <= d.decision_at and s.valid_from <= d.session
    union
    select d.session, b.instrument_id, b.available_at
    from decisions as d
    join late_bars as b on b.available_at > d.ready_at and b.available_at <= d.decision_at
    where b.session_no between d.session_no - {{ var('universe_volume_sessions') }} and d.session_no - 1
    union
    select d.session, i.instrument_id, i.available_at
    from decisions as d
    join instruments as i on i.available_at > d.ready_at and i.available_at <= d.decision_at
),

dated as (
    select m.*, d.session_no, d.previous_close_at
    from moments as m
    join decisions as d using (session)
),

intervals as (
    select m.session, m.session_no, m.instrument_id, m.available_at, s.symbol, s.valid_from, s.valid_to, s.withdrawn,
        s.ingested_at
    from dated as m
    join symbols as s
        on s.instrument_id = m.instrument_id and s.available_at <= m.available_at and s.valid_from <= m.session
    qualify row_number() over (
        partition by m.session, m.instrument_id, m.available_at, s.valid_from order by s.available_at desc
    ) = 1
),

members as (
    select
        session, session_no, instrument_id, available_at,
        min(valid_from) as listed_from,
        any_value(symbol) filter (valid_to is null or session < valid_to) as symbol,
        max(ingested_at) as ingested_at
    from intervals
    where not withdrawn
    group by all
),

listed as (
    select members.*, members.session_no - s.session_no as listed_sessions
    from members
    asof left join (select session, session_no, session as first_day from {{ ref('stg_sessions') }}) as s
        on s.first_day >= members.listed_from
),

recent as (
    select m.session, m.instrument_id, m.available_at, b.session as bar_session, b.close, b.close * b.volume as dollars,
        b.withdrawn, b.ingested_at
    from dated as m
    join bars as b
        on b.instrument_id = m.instrument_id
        and b.session_no between m.session_no - {{ var('universe_volume_sessions') }} and m.session_no - 1
        and b.available_at <= m.available_at
    qualify row_number() over (
        partition by m.session, m.instrument_id, m.available_at, b.session order by b.available_at desc
    ) = 1
),

-- A session without a bar traded nothing.
liquidity as (
    select
        session, instrument_id, available_at,
        arg_max(close, bar_session) as last_close,
        list_aggregate(
            list_resize(list(dollars order by bar_session), {{ var('universe_volume_sessions') }}, 0.0), 'median'
        ) as median_dollars,
        max(ingested_at) as ingested_at
    from recent
    where not withdrawn
    group by all
),

kinds as (
    select m.session, m.instrument_id, m.available_at, i.security_type, i.asset_class
    from dated as m
    asof join instruments as i on i.instrument_id = m.instrument_id and m.available_at >= i.available_at
),

answers as (
    select
        m.session, m.instrument_id as candidate,
        case when l.symbol is not null then m.instrument_id end as instrument_id,
        l.symbol,
        coalesce(k.asset_class, 'equity') as asset_class,
        coalesce(
            l.symbol is not null
            and k.security_type in ('{{ var("universe_types") | join("', '") }}')
            and q.last_close >= {{ var('universe_min_price') }}
            and q.median_dollars >= {{ var('universe_min_dollar_volume') }}
            and l.listed_sessions >= {{ var('universe_listed_sessions') }},
            false
        ) as tradable,
        m.previous_close_at as event_time,
        m.available_at,
        coalesce(greatest(l.ingested_at, q.ingested_at), l.ingested_at, q.ingested_at) as ingested_at
    from dated as m
    left join listed as l using (session, instrument_id, available_at)
    left join liquidity as q using (session, instrument_id, available_at)
    left join kinds as k using (session, instrument_id, available_at)
)

select session, instrument_id, symbol, asset_class, tradable, withdrawn, event_time, available_at, ingested_at
from {{ versions_of('answers', ['session', 'candidate'], ['symbol', 'asset_class', 'tradable']) }}
