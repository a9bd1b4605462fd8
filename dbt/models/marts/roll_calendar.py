"""Which contract is the front of each session, by the volume or open interest of the sessions before."""


def model(dbt, session):
    import pyarrow as pa

    from models.market import rolls
    from pipelines.lake import sessions

    details = dbt.source("facts", "volume_details").to_arrow_table()
    statistics = dbt.source("facts", "futures_statistics").to_arrow_table()
    told = pa.chunked_array([*details.column("session").chunks, *statistics.column("session").chunks], pa.date32())
    return rolls.roll_versions(details, sessions.days_around(told), statistics)
