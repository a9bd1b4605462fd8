"""Who goes by which ticker from when to when: permanent ids over renames, reuse and deaths."""


def model(dbt, session):
    from models.market import symbols

    listings = dbt.ref("stg_listings").to_arrow_table()
    events = dbt.ref("stg_ticker_events").to_arrow_table()
    bars = dbt.ref("stg_equity_bars").aggregate("symbol, session, min(available_at) as available_at").to_arrow_table()
    return symbols.symbol_versions(listings, events, bars)
