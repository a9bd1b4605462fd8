-- Nothing that was learned after half an hour before the open decides who is tradable in that session.
{{ config(meta={'dagster': {'ref': {'name': 'universe'}}}) }}
select u.*
from {{ ref('universe') }} as u
join {{ ref('stg_sessions') }} as s using (session)
where u.available_at > s.decision_at
