"""Drift: an alarm and a line in the report, never a veto by itself."""

from typing import Any

import dagster as dg

from pipelines.defs.tables import readable
from pipelines.resources import HomeResource


@dg.asset(
    key=["validation", "drift"],
    deps=[dg.AssetKey(["validation", "judged"])],
    group_name="validation",
    kinds={"evidently", "numpy"},
    owners=["team:nightdesk"],
    description="The last 63 sessions of every model feature, of what the models said and of what they left "
                "unexplained, against those before: PSI, KL and shift, each with the level that calm windows reach by "
                "themselves, alarms under false-discovery control, and Evidently's own page.",
)
def drift(home: HomeResource) -> dg.MaterializeResult[Any]:
    from pipelines import kept
    from pipelines.progress import say, step
    from pipelines.training import decided, drift_page, enough, inputs
    from pipelines.training import drift as drifting
    from pipelines.training.candidates import strategies

    desk, settings = home.home(), home.settings()
    told = inputs.load(desk)
    if why := enough.untrainable(settings, told):
        return dg.MaterializeResult(metadata=enough.skip(desk, "drift", why), data_version=dg.DataVersion("skipped"))
    asked = kept.question(desk, settings, home.now(), told.digest(), decided.digest(desk))
    if kept.answer(desk, "drift", asked) is not None:
        section = desk.read_section("drift")
        page = desk.reports / section["evidently_html"]
        say("    drift stands as it was measured")
    else:
        strategy = strategies(settings, told.panel.features)[0]
        with step("drift"):
            made = decided.load(desk)
            section = drifting.measure(told, strategy, decided=made)
            page = drift_page.evidently_page(desk, told, strategy.features, decided=made)
        section["evidently_html"] = str(page.relative_to(desk.reports))
        desk.write_section("drift", section)
        kept.keep(desk, "drift", asked, {}, [desk.section("drift"), page])
    if section["alarms"]:
        say(f"    moved: {', '.join(section['alarms'])}")
    shown = ("psi", "unusual_level", "kl", "kl_level", "shift", "shift_level", "p_value", "alarm")
    records = [{"of": name, **{key: one.get(key) for key in shown}}
               for part in ("features", "predictions", "residuals") for name, one in section[part].items()]
    return dg.MaterializeResult(
        data_version=dg.DataVersion(told.digest()),
        metadata={
            "figures_compared": len(records), "alarms": ", ".join(section["alarms"]) or "none",
            "compared": section["compared"], "past_windows": section["past_windows"],
            "figures": readable(records), "evidently": dg.MetadataValue.path(str(page)),
        },
    )
