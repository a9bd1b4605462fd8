-- From which day on a company went by which ticker.
select
    coalesce(nullif(composite_figi, ''), 'CIK:' || nullif(cik, '')) as instrument_id,
    ticker as symbol,
    event_date,
    event_time,
    greatest(available_at, {{ midnight('event_date') }}) as available_at,
    ingested_at
from {{ source('facts', 'ticker_events') }}
where coalesce(nullif(composite_figi, ''), nullif(cik, '')) is not null
qualify row_number() over (
    partition by composite_figi, cik, ticker, event_date order by available_at, ingested_at, body_sha256
) = 1
