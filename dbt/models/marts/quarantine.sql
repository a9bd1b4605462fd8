-- Rows that were refused, with the reason and the body they came from. Good rows of a body that was refused whole stand
-- until a good body of the same place comes; the bad ones stay.
with refused as (
    select
        body_sha256, row_index,
        vendor, dataset, path, reason, row_text,
        received_at as event_time, received_at as available_at, received_at as ingested_at
    from {{ source('facts', 'quarantine') }}
    qualify {{ one_of(['path', 'body_sha256', 'row_index', 'reason', 'received_at'], 'dataset') }}
),

good as (
    select path, received_at
    from {{ source('facts', 'receipts') }} as r
    anti join refused as q
        on q.path = r.path and q.body_sha256 = r.sha256 and (q.reason = 'batch_refused' or q.row_index = -1)
)

select *, false as withdrawn
from refused
union all by name
select refused.* replace (good.received_at as available_at, good.received_at as ingested_at), true as withdrawn
from refused
asof join good on good.path = refused.path and refused.available_at < good.received_at
where refused.reason = 'batch_refused'
