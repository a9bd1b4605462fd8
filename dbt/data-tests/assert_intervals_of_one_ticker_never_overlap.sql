-- As believed now, no day of a ticker has two owners.
with held as (
    select * from {{ ref('symbols') }}
    qualify row_number() over (partition by instrument_id, valid_from order by available_at desc) = 1
)

select a.symbol, a.instrument_id, a.valid_from, b.instrument_id as other_id, b.valid_from as other_from
from held as a
join held as b on a.symbol = b.symbol and (a.instrument_id, a.valid_from) <> (b.instrument_id, b.valid_from)
where not a.withdrawn and not b.withdrawn
    and a.valid_from <= b.valid_from
    and (a.valid_to is null or b.valid_from < a.valid_to)
    and (b.valid_to is null or b.valid_from < b.valid_to)
