"""Cells of options, fear indices and futures: each version of a row as it stood once all its parts were known."""

# A chain without a single gamma has no exposure; the mart's sum over nothing must not pass for a zero. Where the vendor
# tells no 30-day volatility, it is read off the chain.
POSITIONING = """
select underlying as entity, session, false as withdrawn, event_time, available_at, ingested_at,
    spot, call_volume, put_volume, share_0dte, put_call_ratio, put_call_oi_ratio, gamma_flip,
    if(gamma_calls is null, null, gamma_exposure) as gamma_exposure,
    if(gamma_calls is null, null, case dealer_position when 'long' then 1.0 when 'short' then -1.0 else 0.0 end)
        as dealer_side,
    pin_strikes[1] as pin_1, pin_strikes[2] as pin_2, pin_strikes[3] as pin_3,
    pin_share, gamma_calls, gamma_puts, gamma_by_volume, gamma_0dte,
    coalesce(iv30, iv_30d) as iv30, iv_9d, iv_93d, skew_25d
from option_metrics_versions"""

# Of the market as a whole, on the row of the index that VIX is made of.
SENTIMENT = """
with told as (
    select session, "index" as what, close as value, event_time, available_at, ingested_at
    from index_levels_versions where "index" in ('VIX', 'VIX9D', 'VIX3M', 'VVIX')
    union all
    select session, product, put_call_ratio, event_time, available_at, ingested_at
    from market_statistics_versions
    where product in ('SUM OF ALL PRODUCTS', 'INDEX OPTIONS', 'EQUITY OPTIONS') and put_call_ratio is not null
),
moment as (select distinct session, available_at as known from told),
believed as (
    select m.session, m.known, t.what, arg_max(t.value, t.available_at) as value,
        max(t.event_time) as event_time, max(t.ingested_at) as ingested_at
    from moment m join told t on t.session = m.session and t.available_at <= m.known
    group by all
)
select 'SPX' as entity, session, false as withdrawn, max(event_time) as event_time, known as available_at,
    max(ingested_at) as ingested_at,
    max(value) filter (what = 'VIX') as vix, max(value) filter (what = 'VIX9D') as vix9d,
    max(value) filter (what = 'VIX3M') as vix3m, max(value) filter (what = 'VVIX') as vvix,
    max(value) filter (what = 'SUM OF ALL PRODUCTS') as total_put_call,
    max(value) filter (what = 'INDEX OPTIONS') as index_put_call,
    max(value) filter (what = 'EQUITY OPTIONS') as equity_put_call
from believed group by session, known"""

# The contract of most volume speaks for its root, as in the cells of the daily strategies.
AUCTION = """
with moment as (
    select distinct root, session, available_at as known
    from (select root, session, available_at from volume_profile_versions
          union all select root, session, available_at from session_tape_versions)
),
profile as (
    select m.root, m.session, m.known, p.* exclude (root, session)
    from moment m join volume_profile_versions p
        on p.root = m.root and p.session = m.session and p.available_at <= m.known
    qualify row_number() over (partition by m.root, m.session, m.known, p.symbol order by p.available_at desc) = 1
),
front as (
    select * from profile
    qualify row_number() over (partition by root, session, known order by total_volume desc, symbol) = 1
)
select f.root as entity, f.session, false as withdrawn, f.event_time, f.known as available_at,
    greatest(f.ingested_at, t.ingested_at) as ingested_at, {columns}
from front f join session_tape_versions t
    on t.symbol = f.symbol and t.session = f.session and t.available_at <= f.known
qualify row_number() over (partition by f.root, f.session, f.known order by t.available_at desc) = 1"""

# A minute of a contract, which its order flow tells again whenever one of its bars is; `session` is its beginning.
TAPE = """
with minute as (
    select o.* exclude (session), o.bar_start as session, b.high, b.low, b.close,
        date_diff('minute', timezone('America/Chicago', o.session - interval 7 hour), o.bar_start) as session_minute
    from order_flow_versions o join futures_bars_versions b
        on b.symbol = o.symbol and b.bar_start = o.bar_start and b.available_at <= o.available_at
    where not contains(o.symbol, '-')
    qualify row_number() over (partition by o.symbol, o.bar_start, o.available_at order by b.available_at desc) = 1
)
select instrument_id as entity, session, false as withdrawn, event_time, available_at, ingested_at, {columns}
from minute"""
