-- Levels of indices as published, day by day; most tell a close only. The exchange that computes an index is trusted
-- above whoever repeats it, and a less trusted source never overrules a more trusted one.
with told as (
    select "index", session, open, high, low, close, event_time, available_at, ingested_at, body_sha256,
        -1 as distrust
    from {{ source('facts', 'index_levels') }}
    union all by name
    select "index", session, open, high, low, close, event_time, available_at, ingested_at, body_sha256,
        {{ distrust('source') }} as distrust
    from {{ source('facts', 'index_bars') }}
),

trusted as (
    select * from told
    qualify distrust <= min(distrust) over (partition by "index", session order by available_at)
        and {{ one_of(['"index"', 'session', 'available_at'], 'distrust, ingested_at desc, body_sha256') }}
)

select
    "index", session,
    open, high, low, close,
    event_time, available_at, ingested_at
from trusted
qualify {{ changed(['open', 'high', 'low', 'close'], ['"index"', 'session']) }}
