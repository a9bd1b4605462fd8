"""Who goes by which ticker from when to when: permanent ids over renames, reuse and deaths."""


def model(dbt, session):
    from models.market.symbol_versions import symbol_versions

    listings = dbt.ref("stg_listings").to_arrow_table()
    events = dbt.ref("stg_ticker_events").to_arrow_table()
    # A ticker trades on a day since its first bar of that day is known, be it of a minute.
    known = "symbol, session, available_at"
    traded = dbt.ref("stg_equity_bars").project(known).union(dbt.ref("stg_equity_minutes").project(known))
    bars = traded.aggregate("symbol, session, min(available_at) as available_at").to_arrow_table()
    return symbol_versions(listings, events, bars)
