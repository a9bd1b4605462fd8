-- What was said of each session in time for its decision: who could be chosen, the dead included, and who was tradable by
-- what was known half an hour before the open. The coming session has its rows as soon as the bars of the last are out.
with decisions as (
    select * from {{ ref('stg_decisions') }} where in_time
),

bars as (
    select b.*, s.session_no, count(*) over (partition by b.instrument_id, b.session) as versions
    from {{ ref('daily_bars') }} as b
    join {{ ref('stg_sessions') }} as s using (session)
),

symbols as (
    select * from {{ ref('symbols') }}
),

instruments as (
    select * from {{ ref('instruments') }} where asset_class = 'equity'
),

-- What is learned after the last bars and before the decision: corrections, renames and deaths that take effect. Each
-- lies before one decision, for bars are never out before their session's close.
late_bars as (
    select bars.*
    from bars
    join decisions as d on d.previous_session = bars.session
    where bars.available_at > d.ready_at
),

-- Whoever had some ticker on a session by what was believed shortly before it. The long dead, of whom a whole market's
-- list is full, are in no session; nor is a death that was not known yet a reason to ask of all sessions after it.
beliefs as (
    select *, lead(available_at) over (partition by instrument_id, valid_from order by available_at) as until_at
    from symbols
),

spans as (
    select
        s.instrument_id, greatest(b.session_no, k.session_no) as first_no,
        least(e.session_no, u.session_no, (select max(session_no) + 1 from decisions)) as end_no
    from beliefs as s
    asof join (select session as first_day, session_no from {{ ref('stg_sessions') }}) as b
        on b.first_day >= s.valid_from
    asof join (select decision_at, session_no from decisions) as k on k.decision_at >= s.available_at
    asof left join (select session as end_day, session_no from {{ ref('stg_sessions') }}) as e
        on e.end_day >= s.valid_to
    asof left join (select ready_at, session_no from decisions) as u on u.ready_at >= s.until_at
    where not s.withdrawn
),

candidates as (
    select distinct d.session, s.instrument_id
    from (select instrument_id, unnest(range(first_no, end_no)) as session_no from spans) as s
    join decisions as d using (session_no)
),

moments as (
    select d.session, s.instrument_id, greatest(d.ready_at, s.available_at) as available_at
    from candidates as c
    join decisions as d using (session)
    join symbols as s
        on s.instrument_id = c.instrument_id and s.available_at <= d.decision_at and s.valid_from <= d.session
    union
    select d.session, b.instrument_id, b.available_at
    from late_bars as b
    asof join decisions as d on b.available_at > d.ready_at
    where b.available_at <= d.decision_at
        and b.session_no between d.session_no - {{ var('universe_volume_sessions') }} and d.session_no - 1
    union
    select d.session, i.instrument_id, i.available_at
    from decisions as d
    join instruments as i on i.available_at > d.ready_at and i.available_at <= d.decision_at
),

dated as materialized (
    select m.*, d.session_no, d.previous_close_at, row_number() over () as moment_no
    from moments as m
    join decisions as d using (session)
),

members as (
    select * from {{ names_at('dated', 'symbols') }}
),

listed as (
    select members.*, members.session_no - s.session_no as listed_sessions
    from members
    asof left join (select session, session_no, session as first_day from {{ ref('stg_sessions') }}) as s
        on s.first_day >= members.listed_from
),

-- Where every bar of the sessions before was told once, and by then, a frame over the instrument's own bars says it all.
frames as (
    select
        moment_no, instrument_id, available_at, session_no,
        coalesce(max(versions) over before <= 1 and max(known_at) over before <= available_at, true) as told_once,
        last_value(close ignore nulls) over before as last_close,
        list(dollars) filter (dollars is not null) over before as dollars,
        max(bar_ingested_at) over before as ingested_at
    from (
        select moment_no, instrument_id, available_at, session_no, null as versions, null as known_at, null as close,
            null as dollars, null as bar_ingested_at
        from dated
        union all
        select null, instrument_id, null, session_no, versions, available_at, close, close * volume, ingested_at
        from bars
    )
    window before as (
        partition by instrument_id order by session_no
        range between {{ var('universe_volume_sessions') }} preceding and 1 preceding
    )
    qualify moment_no is not null
),

-- Of the others, the newest version known of each bar.
recent as (
    select m.moment_no, b.session_no as bar_no, b.close, b.close * b.volume as dollars, b.withdrawn, b.ingested_at
    from (
        select *, unnest(range(session_no - {{ var('universe_volume_sessions') }}, session_no)) as bar_no
        from frames
        where not told_once
    ) as m
    join bars as b
        on b.instrument_id = m.instrument_id and b.session_no = m.bar_no and b.available_at <= m.available_at
    qualify row_number() over (partition by m.moment_no, b.session_no order by b.available_at desc) = 1
),

seen as (
    select moment_no, last_close, dollars, ingested_at from frames where told_once
    union all
    select moment_no, arg_max(close, bar_no), list(dollars), max(ingested_at)
    from recent
    where not withdrawn
    group by all
),

-- A session without a bar traded nothing.
liquidity as (
    select
        moment_no, last_close, ingested_at,
        list_aggregate(list_resize(dollars, {{ var('universe_volume_sessions') }}, 0.0), 'median') as median_dollars
    from seen
),

kinds as (
    select m.moment_no, i.security_type, i.asset_class
    from dated as m
    asof join instruments as i on i.instrument_id = m.instrument_id and m.available_at >= i.available_at
)

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
left join listed as l using (moment_no)
left join liquidity as q using (moment_no)
left join kinds as k using (moment_no)
