"""Which contract each symbol of a session means, and until when it can trade at the latest, by the exchange's rules."""


def model(dbt, session):
    from models.market import contracts
    from pipelines.lake import sessions

    dbt.config(materialized="table")
    told = dbt.source("facts", "futures_trades").select("symbol, session").distinct()
    bars = dbt.source("facts", "futures_ohlcv").select("symbol, session").distinct()
    return contracts.contract_ends(told.union(bars).to_arrow_table(), sessions.is_closed)
