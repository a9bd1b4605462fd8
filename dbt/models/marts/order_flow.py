"""Who pressed, minute by minute: buyers' minus sellers' volume, and its sum since the session began."""


def model(dbt, session):
    from models.market import order_flow

    return order_flow.order_flow_versions(dbt.ref("futures_trades").to_arrow_table())
