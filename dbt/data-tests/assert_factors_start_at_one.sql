-- Forward factors: nothing multiplies the first bar of an instrument.
{{ config(meta={'dagster': {'ref': {'name': 'daily_bars'}}}) }}
with held as (
    select * from {{ ref('daily_bars') }}
    qualify row_number() over (partition by instrument_id, session order by available_at desc) = 1
)

select * from held
where not withdrawn
qualify row_number() over (partition by instrument_id order by session) = 1
    and (split_factor <> 1 or total_return_factor <> 1)
