-- One row per thing that can be traded or quoted, under its permanent id.
with listings as (
    select * from {{ ref('stg_listings') }}
),

companies as (
    select * from {{ ref('stg_companies') }}
),

moments as (
    select instrument_id, available_at from listings
    union
    select instrument_id, available_at from companies
),

-- A company may stand on the list under several tickers: a living entry speaks for it, else the last that died.
listed as (
    select m.instrument_id, m.available_at, l.* exclude (instrument_id, available_at), l.available_at as listed_at
    from moments as m
    join listings as l on l.instrument_id = m.instrument_id and l.available_at <= m.available_at
    qualify row_number() over (
        partition by m.instrument_id, m.available_at, l.symbol order by l.available_at desc
    ) = 1
),

entries as (
    select *
    from listed
    qualify row_number() over (
        partition by instrument_id, available_at
        order by delisted_on desc nulls first, listed_at desc, symbol
    ) = 1
),

securities as (
    select
        e.instrument_id, 'equity' as asset_class, e.security_type, e.name, e.composite_figi, e.cik, e.primary_exchange,
        e.currency, c.sic_code, c.sector, e.delisted_on, greatest(e.event_time, c.event_time) as event_time,
        e.available_at, greatest(e.ingested_at, c.ingested_at) as ingested_at
    from entries as e
    asof left join companies as c on c.instrument_id = e.instrument_id and e.available_at >= c.available_at
),

-- Traded, or known by its changes of ticker, but on no list yet.
unlisted as (
    select
        instrument_id, 'equity', null, symbol, null, null, null, null, null, null, null::date,
        event_time, available_at, ingested_at
    from {{ ref('symbols') }} as symbols
    anti join listings
        on listings.instrument_id = symbols.instrument_id and listings.available_at <= symbols.available_at
    qualify row_number() over (partition by instrument_id order by available_at, valid_from, symbol) = 1
),

-- Seen to trade, in prints or in bars.
contracts as (
    select
        instrument_id, symbol, min(event_time) as event_time, min(available_at) as available_at,
        arg_min(ingested_at, available_at) as ingested_at
    from (
        select instrument_id, symbol, event_time, available_at, ingested_at from {{ ref('futures_trades') }}
        union all
        select instrument_id, symbol, event_time, available_at, ingested_at from {{ ref('futures_bars') }}
    )
    group by instrument_id, symbol
),

-- By its definition a contract is gone from midnight after its last day, which may have been moved until then.
definitions as (
    select
        'CME:' || symbol || ':' || contract_year as instrument_id,
        symbol, exchange, currency, event_time, available_at, ingested_at,
        cast(timezone('America/New_York', expires_at) as date) as last_day,
        {{ midnight("last_day + 1") }} as gone_at
    from {{ ref('stg_definitions') }}
    where contract_year is not null
    qualify {{ one_of(['instrument_id', 'available_at'], 'instrument_no') }}
),

defined as (
    select * exclude (last_day), if(available_at >= gone_at, last_day, null) as delisted_on from definitions
    union all by name
    select * exclude (last_day) replace (gone_at as event_time, gone_at as available_at), last_day as delisted_on
    from definitions
    where available_at < gone_at
    qualify coalesce(
        lead(definitions.available_at) over (partition by instrument_id order by definitions.available_at) > gone_at, true
    )
),

futures as (
    select
        instrument_id, 'future', 'FUT', symbol, null, null, coalesce(exchange, 'XCME'), coalesce(currency, 'USD'),
        null, null, delisted_on, event_time, available_at, ingested_at
    from defined
    union all
    select
        instrument_id, 'future', 'FUT', symbol, null, null, 'XCME', 'USD', null, null, null::date,
        event_time, available_at, ingested_at
    from contracts
    anti join defined
        on defined.instrument_id = contracts.instrument_id and defined.available_at <= contracts.available_at
),

-- What options are written on and no exchange lists as a share. Of the rest the equity's own row speaks.
underlyings as (
    select
        underlying, 'index', 'INDEX', underlying, null, null, 'XCBO', 'USD', null, null, null::date,
        min(event_time), min(available_at), arg_min(ingested_at, available_at)
    from {{ ref('option_quotes') }}
    where underlying in ('{{ var("cash_indices") | join("', '") }}')
    group by underlying
),

everything as (
    select * from securities
    union all
    select * from unlisted
    union all
    select * from futures
    union all
    select * from underlyings
)

select *
from everything
qualify {{ changed(
    ['security_type', 'name', 'cik', 'primary_exchange', 'currency', 'sic_code', 'sector', 'delisted_on'],
    ['instrument_id']
) }}
