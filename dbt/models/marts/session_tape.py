"""Where a contract's session traded against its mean price, who pressed, and in which part of the day."""


def model(dbt, session):
    from models.market import tape

    return tape.session_tape_versions(dbt.ref("futures_trades").to_arrow_table())
