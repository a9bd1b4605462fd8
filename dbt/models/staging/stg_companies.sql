-- What a company does, by the code that the vendor tells of it: of several tickers of one company, the last told.
select
    coalesce(nullif(composite_figi, ''), 'CIK:' || nullif(cik, ''), 'LISTED:' || ticker) as instrument_id,
    sic_code,
    {{ sector_of('sic_code') }} as sector,
    event_time, available_at, ingested_at
from {{ source('facts', 'ticker_details') }}
qualify row_number() over (
    partition by instrument_id, available_at order by ingested_at desc, ticker, body_sha256
) = 1
