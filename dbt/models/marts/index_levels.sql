-- Levels of indices as published, day by day; most tell a close only.
select
    "index", session,
    open, high, low, close,
    event_time, available_at, ingested_at
from {{ source('facts', 'index_levels') }}
qualify {{ one_of(['"index"', 'session', 'available_at'], 'ingested_at desc, body_sha256') }}
