"""The ladder: what the next rung asks of who holds the slot, answered from the journal. Money follows the rung."""

import dagster as dg

from pipelines.defs.tables import readable
from pipelines.resources import HomeResource

KEY = dg.AssetKey(["promotion", "ladder"])


@dg.asset(
    key=KEY,
    deps=[dg.AssetKey(["promotion", "bundle"]), dg.AssetKey(["promotion", "decay"]),
          dg.AssetKey(["reporting", "twin"])],
    group_name="promotion",
    kinds={"python", "numpy"},
    owners=["team:nightdesk"],
    description="The rung of who holds the slot, what the one above asks, and the signed act where all of it is "
                "answered. Sessions are counted from the journal; where a rung needs approval, the act waits.",
)
def ladder(home: HomeResource) -> dg.MaterializeResult:
    from pipelines.digest import json_digest
    from pipelines.evidence import ladder as climbing
    from pipelines.evidence.judged import JudgedNight
    from pipelines.evidence.mirror import mirror
    from pipelines.training import enough, inputs

    desk, settings = home.home(), home.settings()
    if why := enough.lacking(settings, inputs.load(desk)):
        return dg.MaterializeResult(metadata=enough.skip(desk, "ladder", why), data_version=dg.DataVersion("skipped"))
    section = climbing.step(desk, settings, JudgedNight.load(desk), home.now())
    if section["acted"] and settings.publish.mirror:
        mirror(desk, str(settings.publish.mirror))
    desk.write_section("ladder", section)
    above = section["next"] or {}
    rows = [{name: one[name] for name in ("name", "value", "threshold", "passed", "plain")}
            for one in above.get("checks", [])]
    return dg.MaterializeResult(
        data_version=dg.DataVersion(json_digest(section)),
        metadata={"rung": section["rung"] or "nobody holds the slot", "next": above.get("rung") or "none",
                  "acted": section["acted"] or "nothing to do",
                  **({"checks": readable(rows)} if rows else {})},
    )


@dg.asset_check(asset=KEY, blocking=True, description="What serves has the rung that the records give it, and no more.")
def rung_is_granted(home: HomeResource) -> dg.AssetCheckResult:
    from pipelines.evidence import publish

    try:
        serving = publish.check_serving(home.home())
    except publish.NotPermitted as why:
        return dg.AssetCheckResult(passed=False, metadata={"why": str(why)})
    return dg.AssetCheckResult(passed=True, metadata={
        "rung": publish.manifest_of(serving).rung if serving else "nothing serves"})
