-- Whose the bars and actions of a ticker and day are, as known: one row each time the answer changes.
{{ config(materialized='table') }}
with days as (
    select symbol, session from {{ ref('stg_equity_bars') }}
    union
    select symbol, session from {{ ref('stg_equity_minutes') }}
    union
    select symbol, ex_date from {{ ref('stg_actions') }}
),

moments as (
    select distinct symbol, available_at from {{ ref('symbols') }}
),

in_force as (
    select moments.symbol, moments.available_at, s.instrument_id, s.valid_from, s.valid_to, s.withdrawn
    from moments
    join {{ ref('symbols') }} as s on s.symbol = moments.symbol and s.available_at <= moments.available_at
    qualify row_number() over (
        partition by moments.symbol, moments.available_at, s.instrument_id, s.valid_from order by s.available_at desc
    ) = 1
),

answers as (
    select days.symbol, days.session, moments.available_at, in_force.instrument_id
    from days
    join moments on moments.symbol = days.symbol
    left join in_force
        on in_force.symbol = days.symbol
        and in_force.available_at = moments.available_at
        and not in_force.withdrawn
        and days.session >= in_force.valid_from
        and (in_force.valid_to is null or days.session < in_force.valid_to)
)

select symbol, session, instrument_id, available_at
from answers
qualify {{ changed(['instrument_id'], ['symbol', 'session']) }}
    and count(instrument_id) over (partition by symbol, session order by available_at) > 0
