"""Drift: an alarm and a line in the report, never a veto by itself."""

from typing import Any

import dagster as dg

from pipelines.resources import HomeResource


@dg.asset(
    key=["validation", "drift"],
    deps=[dg.AssetKey(["training", "panel"])],
    group_name="validation",
    kinds={"evidently", "numpy"},
    owners=["team:nightdesk"],
    description="The last 63 sessions of every model feature against the training span: population stability with the "
                "level that calm stretches reach by themselves, and Evidently's own page.",
)
def drift(home: HomeResource) -> dg.MaterializeResult[Any]:
    from pipelines.progress import step
    from pipelines.training import drift as drifting
    from pipelines.training import enough, inputs
    from pipelines.training.candidates import strategies

    desk = home.home()
    told = inputs.load(desk)
    if why := enough.lacking(home.settings(), told):
        return dg.MaterializeResult(metadata=enough.skip(desk, "drift", why), data_version=dg.DataVersion("skipped"))
    strategy = strategies(home.settings(), told.panel.features)[0]
    with step("drift"):
        section = drifting.measure(told, strategy)
        page = drifting.evidently_page(desk, told, strategy.features)
    desk.write_section("drift", {**section, "evidently_html": str(page.relative_to(desk.reports))})
    records = [dg.TableRecord({"feature": name, **one}) for name, one in section["features"].items()]
    return dg.MaterializeResult(
        data_version=dg.DataVersion(told.digest()),
        metadata={
            "dagster/row_count": len(records), "alarms": ", ".join(section["alarms"]) or "none",
            "features": dg.MetadataValue.table(records), "evidently": dg.MetadataValue.path(str(page)),
        },
    )
