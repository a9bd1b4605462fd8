"""Each question of the gate as a check on the verdict, so that the graph shows why; and the chains behind a bundle."""

from collections.abc import Iterator

import dagster as dg

from pipelines.resources import HomeResource

VERDICT = dg.AssetKey(["promotion", "verdict"])
BUNDLE = dg.AssetKey(["promotion", "bundle"])
# What the gate may ask. Which of it was asked depends on the act; the rest passes with a word that says so.
QUESTIONS = {
    "sessions_judged": "Enough sessions to say anything.",
    "deflated_sharpe": "Better than the best of so many worthless trials would look.",
    "sharpe": "A Sharpe above a fixed bar.",
    "drift": "No feature has moved.",
    "reserve": "Sessions that no search had seen do not refuse it.",
    "stable": "Earns in each third of the time.",
    "loss_probability": "The best of one half of the time does not lose in the other.",
    "spa_buy_and_hold": "Better than holding the universe, beyond luck.",
    "spa_champion": "Better than the champion, beyond luck.",
    "cost_stress": "Still earns at a multiple of the costs.",
    "non_inferiority": "A refit is not worse than what it replaces.",
    "leak": "Nothing depends on what was known later.",
    "parity": "What would be published repeats what was judged.",
    "structure": "The fitted files are what they claim to be.",
    "ledger": "No trial was lost.",
    "feature_range": "Tonight's features are of the kind seen in training.",
}


@dg.multi_asset_check(
    # Not blocking: a refusal must reach the bundle asset, which says that nothing was published.
    specs=[dg.AssetCheckSpec(name, asset=VERDICT, blocking=False, description=words)
           for name, words in QUESTIONS.items()],
)
def gate(home: HomeResource) -> Iterator[dg.AssetCheckResult]:
    section = home.home().read_section("verdict")
    asked = {one["name"]: one for one in section.get("checks", [])}
    for name in QUESTIONS:
        one = asked.get(name)
        if one is None:
            why = section.get("skipped") or f"not part of a {section['attempted']}"
            yield dg.AssetCheckResult(asset_key=VERDICT, check_name=name, passed=True, metadata={"asked": why})
            continue
        yield dg.AssetCheckResult(
            asset_key=VERDICT, check_name=name, passed=one["passed"], severity=dg.AssetCheckSeverity.WARN,
            # Numbers as numbers: the page draws them night after night.
            metadata={"plain": one["plain"],
                      **{part: one[part] for part in ("value", "threshold") if one[part] is not None}},
        )


@dg.asset_check(asset=VERDICT, description="Somebody measured how often the bars in use promote noise.")
def policy_is_calibrated(home: HomeResource) -> dg.AssetCheckResult:
    told = home.home().read_section("verdict").get("gate") or {}
    return dg.AssetCheckResult(passed=told.get("calibrated") is not False, severity=dg.AssetCheckSeverity.WARN,
                               metadata={"plain": told.get("calibration") or "nothing was judged"})


@dg.asset_check(asset=BUNDLE, blocking=True,
                description="Ledger and records hold, and what serves has a record that lets it.")
def chains_hold(home: HomeResource) -> dg.AssetCheckResult:
    from pipelines.evidence import inventory

    told = inventory.verify(home.home())
    return dg.AssetCheckResult(passed=all(state in ("ok", "none yet") for state in told.values()), metadata=told)
