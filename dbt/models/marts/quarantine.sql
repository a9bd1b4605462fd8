-- Rows that were refused, with the reason and the body they came from.
select
    body_sha256, row_index,
    vendor, dataset, path, reason, row_text,
    received_at as event_time, received_at as available_at, received_at as ingested_at
from {{ source('facts', 'quarantine') }}
qualify {{ one_of(['path', 'body_sha256', 'row_index', 'reason', 'received_at'], 'dataset') }}
