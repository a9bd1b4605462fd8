"""Which contract is the front of each session, by the volume or open interest of the sessions before."""


def model(dbt, session):
    from models.market import rolls
    from pipelines.lake import sessions

    details = dbt.source("facts", "volume_details").to_arrow_table()
    return rolls.roll_versions(details, sessions.days_around(details.column("session")))
