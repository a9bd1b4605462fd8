"""Which bars are in use, and what was measured of them: in this home, or once for the presets that ship."""

import json
from pathlib import Path
from typing import Any

from models.validation import policy as policy_module
from models.validation.policy import GatePolicy
from pipelines.home import Home
from pipelines.settings import Settings

SHIPPED = Path(__file__).with_name("calibrated")  # one calibration.json a preset, as `models calibrate` wrote it


def policy_of(settings: Settings) -> GatePolicy:
    """The preset that the settings name, with the bars that they set themselves."""
    chosen = policy_module.preset(settings.gate.preset)
    return chosen.with_bars(settings.gate.model_dump(include=settings.gate.model_fields_set - {"preset"}))


def calibrations(home: Home | None) -> dict[str, dict[str, Any]]:
    """The largest calibration of each policy, by the policy's digest."""
    found: dict[str, dict[str, Any]] = {}
    places = [*SHIPPED.glob("*.json"), *(home.calibration.glob("*/calibration.json") if home else ())]
    for path in sorted(places):
        told = json.loads(path.read_text())
        known = found.get(told["policy_digest"])
        if known is None or _size(known) <= _size(told):
            found[told["policy_digest"]] = told
    return found


def _size(told: dict[str, Any]) -> int:
    return int(sum(one["markets"] for one in told["night"]))


def measured(policy: GatePolicy, home: Home | None) -> dict[str, Any] | None:
    """How often these very bars promoted noise and saw skill; None where nobody measured them."""
    told = calibrations(home).get(policy.digest())
    if told is None:
        return None
    nights, years = told["night"], told["year"]
    worst = max(nights, key=lambda one: one["promoted"] / one["markets"])
    bad_year = max(years, key=lambda one: one["promoted"] / one["years"])
    power = {str(one["sharpe"]): round(one["promoted"] / one["markets"], 3) for one in told["power"]
             if one["skilled"] == "one" and one["correlation"] == 0.5}
    return {"markets": _size(told), "false_promotions": sum(one["promoted"] for one in nights),
            "worst_family": worst["family"], "worst": worst["promoted"], "worst_of": worst["markets"],
            "worst_bound": worst["bound"], "years_with_promotion": bad_year["promoted"], "years": bad_year["years"],
            "years_family": bad_year["family"], "power_by_sharpe": power, "sessions": told["sessions"],
            "candidates": told["candidates"], "paper": told["paper"]}


def collect(settings: Settings, home: Home) -> dict[str, Any]:
    """Every preset with what it asks and what it does, and the one in use."""
    used = policy_of(settings)
    shown = {name: {"words": policy_module.words()[name], "bars": preset.told(), "measured": measured(preset, home)}
             for name, preset in policy_module.presets().items()}
    return {"file": str(policy_module.FILE), "in_use": {"bars": used.told(), "measured": measured(used, home)},
            "approval_rungs": list(settings.approval.rungs), "presets": shown}


def in_words(told: dict[str, Any] | None) -> str:
    """One sentence on what a gate was measured to do."""
    if told is None:
        return "These bars were never calibrated: `nightdesk models calibrate` measures how often they promote noise."
    power = ", ".join(f"{share:.0%} at {sharpe}" for sharpe, share in told["power_by_sharpe"].items())
    return (f"Of {told['markets']:,} markets without any skill it promoted in {told['false_promotions']:,}, at worst "
            f"{told['worst']} of {told['worst_of']:,} ({told['worst_family'].replace('_', ' ')}, at most "
            f"{told['worst_bound']:.1%} with 95 % confidence); of {told['years']} years of nights, at worst "
            f"{told['years_with_promotion']} held a false promotion. One skilled candidate of {told['candidates']} on "
            f"{told['sessions']} sessions is promoted, by true Sharpe: {power}.")


def print_policy(told: dict[str, Any]) -> None:
    print(f"{told['file']}\n")
    for name, one in told["presets"].items():
        print(f"[{name}] {one['words']}")
        print("  " + ", ".join(f"{bar} {value:g}" for bar, value in one["bars"].items() if bar != "name"))
        print(f"  {in_words(one['measured'])}")
        if name == "seeds" and one["measured"]:
            for month in one["measured"]["paper"]:
                print(f"  Its month on paper (Sharpe over 1.5, drawdown under 10 %) lets a true Sharpe of "
                      f"{month['sharpe']:g} through in {month['passed'] / month['months']:.0%} of months.")
        print()
    used = told["in_use"]
    print(f"In use: {used['bars']['name']} with " +
          ", ".join(f"{bar} {value:g}" for bar, value in used["bars"].items() if bar != "name"))
    print(in_words(used["measured"]))
    rungs = ", ".join(told["approval_rungs"])
    print(f"A person must approve: {rungs}" if rungs else "No rung waits for a person's approval.")
