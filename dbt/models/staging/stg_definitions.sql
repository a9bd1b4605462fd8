-- What the exchange says a contract is, under the instrument's own number, each time it said so.
select
    symbol, instrument_no,
    cast(left(contract_month, 4) as integer) as contract_year,
    expires_at, exchange, currency,
    event_time, available_at, ingested_at
from {{ source('facts', 'futures_definitions') }}
qualify {{ one_of(['symbol', 'instrument_no', 'available_at'], 'told_at desc, ingested_at desc, body_sha256') }}
