"""Decay: whether the champion still earns what it was let through for. An alarm asks for a search, no more."""

import dagster as dg

from pipelines.defs.tables import short
from pipelines.resources import HomeResource

KEY = dg.AssetKey(["promotion", "decay"])


@dg.asset(
    key=KEY,
    deps=[dg.AssetKey(["promotion", "verdict"])],  # whoever holds the slot tonight is watched
    group_name="promotion",
    kinds={"python", "numpy"},
    owners=["team:nightdesk"],
    description="A one-sided CUSUM of the champion's active returns since it was let through, with the mean time to a "
                "false alarm that its level was set for.",
)
def decay(home: HomeResource) -> dg.MaterializeResult:
    from pipelines.digest import json_digest
    from pipelines.evidence import decay as watching
    from pipelines.evidence.judged import JudgedNight
    from pipelines.training import enough, inputs

    desk = home.home()
    if why := enough.lacking(home.settings(), inputs.load(desk)):
        return dg.MaterializeResult(metadata=enough.skip(desk, "decay", why), data_version=dg.DataVersion("skipped"))
    section = watching.watch(desk, JudgedNight.load(desk))
    desk.write_section("decay", section)
    shown = ("strategy", "first_alarm", "level", "healthy_sharpe", "false_alarm_sessions", "median_sessions_to_detect")
    return dg.MaterializeResult(
        data_version=dg.DataVersion(json_digest(section)),
        metadata={"alarm": section["alarm"], "plain": section["plain"],
                  **{name: short(section[name]) for name in shown if section.get(name) is not None}},
    )


@dg.asset_check(asset=KEY, description="The champion has not decayed. A warning: the answer to it is a search.")
def champion_earns(home: HomeResource) -> dg.AssetCheckResult:
    section = home.home().read_section("decay")
    return dg.AssetCheckResult(passed=not section.get("alarm"), severity=dg.AssetCheckSeverity.WARN,
                               metadata={"plain": section.get("plain") or section.get("skipped") or "not watched"})
