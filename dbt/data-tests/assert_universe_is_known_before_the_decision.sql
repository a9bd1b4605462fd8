-- Nothing that was learned after half an hour before the open makes a name tradable in that session.
{{ config(meta={'dagster': {'ref': {'name': 'universe'}}}) }}
with told as (
    select
        u.*, s.decision_at,
        arg_max(u.tradable and not u.withdrawn, u.available_at) filter (u.available_at <= s.decision_at)
            over (partition by u.session, u.instrument_id) as tradable_in_time
    from {{ ref('universe') }} as u
    join {{ ref('stg_sessions') }} as s using (session)
)

select * from told where available_at > decision_at and tradable and not coalesce(tradable_in_time, false)
