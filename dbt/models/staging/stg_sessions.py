"""The exchange's sessions around the bars: numbered, with their opens, closes and decision times."""


def model(dbt, session):
    from pipelines.lake import sessions

    dbt.config(materialized="table")
    bars = dbt.ref("stg_equity_bars").project("session").union(dbt.ref("stg_equity_minutes").project("session"))
    first, last = bars.aggregate("min(session), max(session)").fetchall()[0]
    return sessions.table(first, last)
