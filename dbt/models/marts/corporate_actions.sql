-- One row per instrument, ex-date and kind: what it multiplies the forward factors by, counted from its ex-date.
with actions as (
    select * from {{ ref('stg_actions') }}
),

days as (
    select symbol, ex_date, kind, min(available_at) as counted_from from actions group by all
),

owners as (
    select o.* from {{ ref('stg_bar_owners') }} as o
    semi join days on days.symbol = o.symbol and days.ex_date = o.session
),

bar_days as (
    select o.instrument_id, o.session, min(greatest(bars.available_at, o.available_at)) as known_at
    from {{ ref('stg_bar_owners') }} as o
    join {{ ref('stg_equity_bars') }} as bars using (symbol, session)
    where o.instrument_id in (select instrument_id from owners)
    group by all
),

-- A dividend is measured against the last close before its ex-date, however long ago that was. Of bars that were known
-- when the next day began, that is the last one; one that came late is measured against from then on, unless the bar
-- after it was known as soon.
timely as (
    select instrument_id, session from bar_days where known_at <= {{ midnight('session + 1') }}
),

late as (
    select instrument_id, session, case when next_known_at <= known_at then next_session end as stands_until
    from (
        select *, lead(session) over bars as next_session, lead(known_at) over bars as next_known_at
        from bar_days
        window bars as (partition by instrument_id order by session)
    )
    where known_at > {{ midnight('session + 1') }}
),

dividends as (
    select days.symbol, days.ex_date, days.kind, owners.instrument_id, timely.session as last_timely
    from days
    join owners on owners.symbol = days.symbol and owners.session = days.ex_date
    asof left join timely on timely.instrument_id = owners.instrument_id and days.ex_date > timely.session
    where days.kind = 'dividend'
),

last_before as (
    select symbol, ex_date, kind, instrument_id, last_timely as session from dividends where last_timely is not null
    union
    select d.symbol, d.ex_date, d.kind, d.instrument_id, late.session
    from dividends as d
    join late
        on late.instrument_id = d.instrument_id
        and late.session < d.ex_date
        and late.session > coalesce(d.last_timely, date '1900-01-01')
        and d.ex_date <= coalesce(late.stands_until, date '9999-01-01')
),

-- Materialized, so that days of one instrument are brought together and not all instruments of one day.
owned_before as materialized (
    select m.symbol, m.ex_date, m.kind, m.instrument_id, m.session, o.symbol as bar_symbol, o.available_at as owned_at
    from last_before as m
    join {{ ref('stg_bar_owners') }} as o using (instrument_id, session)
),

closes_before as (
    select
        o.symbol, o.ex_date, o.kind, o.instrument_id, o.session, bars.close, bars.available_at as told_at,
        greatest(bars.available_at, o.owned_at) as available_at
    from owned_before as o
    join {{ ref('stg_equity_bars') }} as bars on bars.symbol = o.bar_symbol and bars.session = o.session
),

moments as (
    select symbol, ex_date, kind, available_at from actions
    union
    select symbol, ex_date, kind, superseded_at from actions where superseded_at is not null
    union
    select days.symbol, days.ex_date, days.kind, owners.available_at
    from days
    join owners on owners.symbol = days.symbol and owners.session = days.ex_date
    where owners.available_at > days.counted_from
    union
    select symbol, ex_date, kind, closes_before.available_at
    from closes_before
    join days using (symbol, ex_date, kind)
    where closes_before.available_at > days.counted_from
),

owned as (
    select moments.*, owners.instrument_id
    from moments
    asof left join owners
        on owners.symbol = moments.symbol
        and owners.session = moments.ex_date
        and moments.available_at >= owners.available_at
),

-- One event told by two endpoints counts once: of two ratios the newer endpoint's, and the payments of whichever tells of
-- more, of as many the newer's. Two payments of one day add up, in a fixed order.
told as (
    select
        * exclude (newer_paid, older_paid),
        list_reduce(
            list_sort(case when len(older_paid) > len(newer_paid) then older_paid else newer_paid end),
            lambda total, cash: total + cash, 0.0
        ) as cash_amount
    from (
        select
            owned.symbol, owned.ex_date, owned.kind, owned.available_at,
            arg_max(a.split_from, row(not a.older, a.available_at, a.vendor_id)) as split_from,
            arg_max(a.split_to, row(not a.older, a.available_at, a.vendor_id)) as split_to,
            coalesce(list_distinct(list(a.cash_amount) filter (not a.older)), []) as newer_paid,
            coalesce(list_distinct(list(a.cash_amount) filter (a.older)), []) as older_paid,
            arg_max(a.currency, row(not a.older, a.available_at, a.vendor_id)) as currency,
            max(a.ingested_at) as ingested_at
        from owned
        join (select *, starts_with(vendor_id, 'v3:') as older from actions) as a
            on a.symbol = owned.symbol and a.ex_date = owned.ex_date and a.kind = owned.kind
            and a.available_at <= owned.available_at
            and (a.superseded_at is null or owned.available_at < a.superseded_at)
        group by all
    )
),

measured as (
    select
        owned.symbol, owned.ex_date, owned.kind, owned.available_at,
        arg_max(c.close, row(c.session, c.told_at)) as reference_close
    from owned
    join closes_before as c
        on c.symbol = owned.symbol and c.ex_date = owned.ex_date and c.kind = owned.kind
        and c.instrument_id = owned.instrument_id and c.available_at <= owned.available_at
    group by all
),

answers as (
    select
        case when told.symbol is not null then owned.instrument_id end as instrument_id,
        owned.ex_date, owned.kind, owned.symbol,
        told.split_from, told.split_to,
        case when owned.kind = 'dividend' then told.cash_amount end as cash_amount,
        told.currency,
        measured.reference_close,
        case
            when owned.kind = 'split' then told.split_to / told.split_from
            when told.cash_amount < measured.reference_close
                then measured.reference_close / (measured.reference_close - told.cash_amount)
            else 1.0
        end as multiplier,
        {{ midnight('owned.ex_date') }} as event_time,
        owned.available_at,
        coalesce(told.ingested_at, max(told.ingested_at) over (partition by owned.symbol, owned.ex_date, owned.kind))
            as ingested_at
    from owned
    left join told using (symbol, ex_date, kind, available_at)
    left join measured using (symbol, ex_date, kind, available_at)
)

select
    instrument_id, ex_date, kind, symbol,
    split_from, split_to, cash_amount, currency, reference_close, multiplier,
    withdrawn, event_time, available_at, ingested_at
from {{ versions_of('answers', ['symbol', 'ex_date', 'kind'], ['split_from', 'split_to', 'cash_amount', 'currency',
    'reference_close', 'multiplier']) }}
