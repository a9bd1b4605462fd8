"""The twin: the last live session replayed by judgement, and every cent between the two told by cause."""

import dagster as dg

from pipelines.resources import HomeResource

KEY = dg.AssetKey(["reporting", "twin"])


@dg.asset(
    key=KEY,
    deps=[dg.AssetKey(["training", "panel"]), dg.AssetKey(["marts", "daily_bars"]),
          dg.AssetKey(["marts", "minute_bars"])],
    group_name="reporting",
    kinds={"python", "numpy"},
    owners=["team:nightdesk"],
    description="Live minus judged profit of the last live session: data revised, feature, score, timing, fill price, "
                "cost, limit, manual. The parts sum to the cent.",
)
def twin(home: HomeResource) -> dg.MaterializeResult:
    from pipelines import twin as morning
    from pipelines.digest import json_digest
    from pipelines.progress import say, step

    desk = home.home()
    with step("the last live session against its judgement"):
        section = morning.look_back(desk, home.now())
    say(f"    {section['plain']}")
    desk.write_section("twin", section)
    newest = section["sessions"][-1] if section["sessions"] else {}
    return dg.MaterializeResult(
        data_version=dg.DataVersion(json_digest(section)),
        metadata={"plain": section["plain"], **{f"{name}_usd": newest[name] for name in ("live", "judged", "difference")
                                                if name in newest}, **newest.get("parts", {})},
    )


@dg.asset_check(asset=KEY, description="Every cent between live and judged has a cause.")
def every_cent_has_a_cause(home: HomeResource) -> dg.AssetCheckResult:
    section = home.home().read_section("twin")
    unexplained = [one["unexplained"] for one in section.get("sessions", [])]
    return dg.AssetCheckResult(passed=not any(unexplained), severity=dg.AssetCheckSeverity.WARN,
                               metadata={"plain": section.get("plain", "not looked at")})
