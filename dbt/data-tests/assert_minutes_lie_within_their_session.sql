-- Minute bars are of the regular session, early closes respected.
{{ config(meta={'dagster': {'ref': {'name': 'minute_bars'}}}) }}
select m.*
from {{ ref('minute_bars') }} as m
join {{ ref('stg_sessions') }} as s using (session)
where m.bar_start < s.open_at or m.bar_start >= s.close_at
