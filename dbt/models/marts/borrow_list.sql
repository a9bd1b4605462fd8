-- Who could be sold short, as a desk's own list said it: no row at all where it keeps none, and then everybody could.
select
    name, valid_from, valid_to, borrowable,
    withdrawn, event_time, available_at, ingested_at
from {{ source('facts', 'borrow') }}
qualify {{ one_of(['name', 'valid_from', 'available_at'], 'ingested_at desc, body_sha256') }}
