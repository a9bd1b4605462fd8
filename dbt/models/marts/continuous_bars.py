"""One series a root and rule through all rolls: raw bars of the front contract with forward factors."""


def model(dbt, session):
    from models.market import continuous

    return continuous.continuous_versions(
        dbt.ref("futures_bars").to_arrow_table(), dbt.ref("roll_calendar").to_arrow_table()
    )
