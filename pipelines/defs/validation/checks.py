"""Sanity of what was judged: a figure that cannot be is found here, before anybody believes it."""

import dagster as dg

from pipelines.resources import HomeResource

JUDGED = dg.AssetKey(["validation", "judged"])


def _skipped(home: HomeResource) -> dg.AssetCheckResult | None:
    """Where nothing was judged there is nothing to hold against it."""
    why = home.home().read_section("judged").get("skipped")
    return dg.AssetCheckResult(passed=True, metadata={"skipped": why}) if why else None


@dg.asset_check(asset=JUDGED, blocking=True, description="Every judged return is a finite number.")
def returns_are_finite(home: HomeResource) -> dg.AssetCheckResult:
    import numpy as np

    from pipelines.evidence.judged import JudgedNight

    if skipped := _skipped(home):
        return skipped
    night = JudgedNight.load(home.home())
    broken = [name for name, values in night.series.items() if not np.isfinite(values).all()]
    return dg.AssetCheckResult(passed=not broken, metadata={"series_with_gaps": broken})


@dg.asset_check(asset=JUDGED, blocking=True, description="Costs are charged wherever something was traded.")
def costs_are_always_on(home: HomeResource) -> dg.AssetCheckResult:
    from pipelines.evidence.judged import JudgedNight

    if skipped := _skipped(home):
        return skipped
    night = JudgedNight.load(home.home())
    free = int(((night.series["turnover"] > 0.0) & (night.series["cost"] <= 0.0)).sum())
    return dg.AssetCheckResult(passed=free == 0, metadata={"sessions_traded_for_nothing": free})


@dg.asset_check(asset=JUDGED, description="Every candidate is a row of the ledger, whose chain holds.")
def trials_are_counted(home: HomeResource) -> dg.AssetCheckResult:
    from pipelines.evidence.judged import JudgedNight
    from pipelines.evidence.ledger import Ledger

    if skipped := _skipped(home):
        return skipped
    desk = home.home()
    ledger = Ledger(desk.ledger)
    counted = {row["config_key"] for row in ledger.rows("outer")}
    uncounted = [one["name"] for one in JudgedNight.load(desk).candidates if one["key"] not in counted]
    return dg.AssetCheckResult(passed=not uncounted, metadata={"rows": ledger.verify(), "uncounted": uncounted})


@dg.asset_check(asset=JUDGED, description="One fold of one family, in turns, learnt again from nothing but what was "
                                          "known when it began: the same bytes, the same scores.")
def models_know_no_future(home: HomeResource) -> dg.AssetCheckResult:
    from pipelines.store.leak.models_nightly import SECTION
    from pipelines.store.leak.words import in_words

    if skipped := _skipped(home):
        return skipped
    told = home.home().read_section(SECTION)
    plain = " ".join(in_words(one) for one in told.get("findings", [])) or "none"
    return dg.AssetCheckResult(passed=bool(told.get("passed")), metadata={
        **{name: told.get(name, "") for name in ("family", "fold", "session", "seconds")}, "findings": plain})
