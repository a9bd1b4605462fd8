"""The bias price tag: what each customary carelessness would have added to tonight's Sharpe."""

from typing import Any

import dagster as dg

from pipelines.defs.tables import readable
from pipelines.resources import HomeResource

SHOWN = ("plain", "added", "low", "high", "honest", "biased")  # the interval is of what was added, 95 %


@dg.asset(
    key=["validation", "price_tag"],
    deps=[dg.AssetKey(["promotion", "verdict"])],
    group_name="validation",
    kinds={"python", "numpy"},
    owners=["team:nightdesk"],
    description="The annual Sharpe that zero costs, a list of survivors, labels that end inside the test and prices "
                "adjusted with hindsight would have added. The last two are fitted anew, once, for a strategy that is "
                "let through.",
)
def price_tag(home: HomeResource) -> dg.MaterializeResult[Any]:
    from pipelines.digest import json_digest
    from pipelines.evidence import price_tag as tags
    from pipelines.evidence.judged import JudgedNight
    from pipelines.progress import say, step
    from pipelines.training import inputs
    from pipelines.training.prices import read_prices

    desk, now = home.home(), home.now()
    verdict = desk.read_section("verdict")
    if why := desk.read_section("judged").get("skipped"):
        desk.write_section("price_tag", {"skipped": why})
        return dg.MaterializeResult(metadata={"skipped": why}, data_version=dg.DataVersion("skipped"))
    told, night = inputs.load(desk), JudgedNight.load(desk)
    every = desk.read_section("judged")["strategies"]  # without a verdict it is about the best of them, as the report
    at = night.column(verdict.get("key") or max(every, key=lambda one: one["sharpe_net"])["key"])
    with step("bias price tag"):
        bill = tags.Bill(desk, home.settings(), told, night, read_prices(desk, now, told.panel), now)
        promoted = verdict.get("attempted") == "promote" and verdict.get("act") in tags.PROMOTED
        section = tags.tonight(bill, at, promoted=promoted)
    desk.write_section("price_tag", section)
    tagged = [*section["tags"], *section.get("refitted", {}).get("tags", [])]
    say("    " + ", ".join(f"{one['bias'].replace('_', ' ')} {one['added']:+.2f}" for one in tagged))
    return dg.MaterializeResult(
        data_version=dg.DataVersion(json_digest(section)),
        metadata={"strategy": section["strategy"], "sessions": section["sessions"],
                  "added": readable({name: one.get(name) for name in SHOWN} for one in tagged)},
    )
