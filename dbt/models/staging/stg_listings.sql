-- The vendor's list of securities: who goes by which ticker. A delisting is known from the midnight after the last day.
-- Older entries tell neither FIGI nor CIK and are real all the same: one company for each such ticker.
select
    coalesce(nullif(composite_figi, ''), 'CIK:' || nullif(cik, ''), 'LISTED:' || ticker) as instrument_id,
    ticker as symbol,
    nullif(composite_figi, '') as composite_figi,
    nullif(cik, '') as cik,
    -- values
    name,
    type as security_type,
    primary_exchange,
    currency,
    case when not active then delisted_utc end as delisted_on,
    -- clocks
    event_time,
    case
        when not active and delisted_utc is not null
            then greatest(available_at, {{ midnight('delisted_utc + 1') }})
        else available_at
    end as available_at,
    ingested_at
from {{ source('facts', 'tickers') }}
qualify {{ one_of(['ticker', 'composite_figi', 'cik', 'available_at'], 'ingested_at desc, body_sha256') }}
