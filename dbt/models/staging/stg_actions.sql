-- Splits and dividends under the ticker of their ex-date, each version of each vendor row; counted from the ex-date on.
with both_kinds as (
    select
        ticker as symbol, ex_date, 'split' as kind, vendor_id,
        split_from, split_to, null::double as cash_amount, null::varchar as currency, withdrawn,
        available_at, ingested_at, body_sha256
    from {{ source('facts', 'splits') }}
    union all
    select
        ticker, ex_date, 'dividend', vendor_id,
        null, null, cash_amount, currency, withdrawn,
        available_at, ingested_at, body_sha256
    from {{ source('facts', 'dividends') }}
),

dated as (
    select * exclude (body_sha256) replace (greatest(available_at, {{ midnight('ex_date') }}) as available_at)
    from both_kinds
    qualify row_number() over (
        partition by kind, vendor_id, greatest(available_at, {{ midnight('ex_date') }})
        order by both_kinds.available_at desc, ingested_at desc, body_sha256
    ) = 1
)

-- One that the vendor took back ends the version before it, and is none itself.
select * exclude (withdrawn)
from (
    select *, lead(available_at) over (partition by kind, vendor_id order by available_at) as superseded_at
    from dated
)
where not coalesce(withdrawn, false)
