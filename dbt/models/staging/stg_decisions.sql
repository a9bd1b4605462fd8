-- Sessions of which something can be said: this lake has bars of theirs, or of the session before. `ready_at` is when the
-- first of these were out, `in_time` whether those of the session before were half an hour before the open.
with bars_out as (
    select session, min(available_at) as out_at
    from (
        select session, available_at from {{ ref('stg_equity_bars') }}
        union all
        -- Minutes alone tell of a session, too, when it is over.
        select session, greatest(m.available_at, s.close_at + interval ({{ var('delay_minutes') }}) minutes)
        from (select session, min(available_at) as available_at from {{ ref('stg_equity_minutes') }} group by all) as m
        join {{ ref('stg_sessions') }} as s using (session)
    )
    group by all
)

select
    s.session, s.session_no, s.previous_close_at, s.previous_session, s.decision_at,
    coalesce(b.out_at <= s.decision_at, false) as in_time,
    case when b.out_at <= s.decision_at then b.out_at else least(b.out_at, o.out_at) end as ready_at
from {{ ref('stg_sessions') }} as s
left join bars_out as b on b.session = s.previous_session
left join bars_out as o on o.session = s.session
where coalesce(b.out_at, o.out_at) is not null
