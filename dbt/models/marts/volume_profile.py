"""Point of control and value area of each contract's session, beside those of the session before."""


def model(dbt, session):
    from models.market import volume_profile

    return volume_profile.volume_profile_versions(dbt.ref("futures_trades").to_arrow_table())
