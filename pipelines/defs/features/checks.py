"""The leak gate on every family, blocking; null shares, ranges, age and drift, told but not blocking."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from models.features.feature import Feature
from models.features.registry import families
from pipelines.resources import HomeResource

MOST_SHOWN = 8  # findings in one line of a check; the report has them all
MOST_NULL = 0.5  # of the newest session's rows; young names and gaps are null by right


@dg.multi_asset_check(
    name="no_look_ahead",
    specs=[
        dg.AssetCheckSpec(
            "no_look_ahead", asset=dg.AssetKey(["features", view]), blocking=True,
            description="With later facts gone, dealt again or blown up, every bit stands; batch equals tail.",
        )
        for view in families()
    ],
)  # fmt: skip
def no_look_ahead(home: HomeResource) -> Iterator[dg.AssetCheckResult]:
    from pipelines.progress import say, step
    from pipelines.store import leak, recipe
    from pipelines.store.leak.words import in_words

    settings = home.settings()
    with step("leak gate"):
        found = leak.run_gate(
            home.home(), now=home.now(), seed=settings.seed, decision_times=settings.leak.decision_times,
            recipe=recipe.of_settings(planted_leak=settings.leak.planted),
        )  # fmt: skip
    for finding in found["findings"]:
        say(f"    leak: {in_words(finding)}")
    for view, features in families().items():
        findings = [finding for finding in found["findings"] if finding["view"] == view]
        broken = [feature.name for feature in features if feature.ref in found["parity_broken"]]
        metadata: dict[str, Any] = {
            "findings": _told(findings), "parity_broken": ", ".join(broken) or "none",
            "decision_times": ", ".join(found["decision_times"]) or "none", "compared_values": found["compared_values"],
        }  # fmt: skip
        yield dg.AssetCheckResult(
            asset_key=dg.AssetKey(["features", view]), check_name="no_look_ahead",
            passed=not findings and not broken, metadata=metadata,
        )  # fmt: skip


def _told(findings: list[dict[str, Any]]) -> str:
    """Plain text: the page of a check hides tables and JSON behind a link."""
    from pipelines.store.leak.words import in_words

    lines = [f"{in_words(found)[:-1]} (as decided on {found['decision_time'][:10]}, {found['values']:,} values)"
             for found in findings[:MOST_SHOWN]]
    more = [f"and {len(findings) - MOST_SHOWN} more"] if len(findings) > MOST_SHOWN else []
    return "; ".join([*lines, *more]) or "none"


def _plausible(view: str, features: tuple[Feature, ...]) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=dg.AssetKey(["features", view]), name="plausible",
        description="Values stay where their formulas put them; in the newest session nothing is mostly missing that "
        "had come before. What is null by right, of a short past or a source that never told it, is said with why.",
    )
    def plausible(home: HomeResource) -> dg.AssetCheckResult:
        from pipelines.store import story

        told = home.home().read_section("features")["families"][view]["features"]
        wrong = story.out_of_bounds(told, features)
        missing, worrying = story.mostly_missing(home.home(), view, features, home.now(), MOST_NULL)
        return dg.AssetCheckResult(
            passed=not wrong and not worrying,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"out_of_bounds": "; ".join(wrong) or "none", "mostly_missing": "; ".join(missing) or "none"},
        )

    return plausible


plausible_checks = [_plausible(view, features) for view, features in families().items()]


@dg.multi_asset_check(
    name="fresh_and_steady",
    specs=[
        spec
        for view in families()
        for spec in (
            dg.AssetCheckSpec("fresh", asset=dg.AssetKey(["features", view]),
                              description="The newest row is younger than its features may be old."),
            dg.AssetCheckSpec("steady", asset=dg.AssetKey(["features", view]),
                              description="The newest 20 sessions have the means and the gaps of those before them."),
        )
    ],
)  # fmt: skip
def fresh_and_steady(home: HomeResource) -> Iterator[dg.AssetCheckResult]:
    from pipelines.store import steadiness

    told = home.home().read_section("features")["families"]
    for view, features in families().items():
        late = steadiness.stale_by(told[view].get("newest_event"), features, home.now())
        wrong = steadiness.unsteady(told[view]["features"])
        asset = dg.AssetKey(["features", view])
        yield dg.AssetCheckResult(
            asset_key=asset, check_name="fresh", passed=late is None, severity=dg.AssetCheckSeverity.WARN,
            metadata={"newest_row": told[view].get("newest_event") or "none yet", "late_by": str(late or "not late")},
        )
        yield dg.AssetCheckResult(
            asset_key=asset, check_name="steady", passed=not wrong, severity=dg.AssetCheckSeverity.WARN,
            metadata={"unsteady": "; ".join(wrong[:MOST_SHOWN]) or "none", "features": len(wrong)},
        )
