"""Positioning of one underlying and session: volumes, 0DTE share, gamma exposure and where it flips, pins."""


def model(dbt, session):
    from models.market import options

    return options.option_metric_versions(dbt.ref("option_quotes").to_arrow_table())
