"""What the gate asked, what it was answered, and what it could not have seen. Also the ledger's count of trials."""

from collections.abc import Mapping
from typing import Any

from pipelines.report import words
from pipelines.report.html import Html, caption, paragraph, tag
from pipelines.report.parts.part import Part, facts, mark
from pipelines.report.story import Story, Tone

NAMES = {
    "deflated_sharpe": "Deflated Sharpe",
    "sharpe": "Sharpe above a fixed bar",
    "drift": "No feature has moved",
    "reserve": "Sessions that no search had seen",
    "stable": "Earns in each third of the time",
    "loss_probability": "Best in sample, loss out of sample",
    "spa_buy_and_hold": "Better than buy and hold",
    "spa_champion": "Better than the champion",
    "cost_stress": "Earns at higher costs",
    "non_inferiority": "No worse than what it replaces",
    "feature_range": "Features as in training",
    "sessions_judged": "Enough sessions",
}
CLEAN_OR_NOT = frozenset({"leak", "parity", "structure", "ledger"})
CHANCES = frozenset({"deflated_sharpe", "spa_buy_and_hold", "spa_champion"})
SHARES = frozenset({"loss_probability", "cost_stress"})
ASKED = {
    "deflated_sharpe": "at least",
    "sessions_judged": "at least",
    "cost_stress": "above",
    "sharpe": "above",
    "reserve": "above",
    "stable": "above",
    "spa_buy_and_hold": "below",
    "spa_champion": "below",
}  # the rest: at most
BESIDE = {
    "pbo": "Probability of overfitting (PBO)",
    "psr": "Probability that the active Sharpe is above zero",
    "worst_path_sharpe": "Sharpe of the search's worst combinatorial path",
    "worst_regime_sharpe": "Sharpe in its worst regime",
    "capacity_usd": "Capital at which half of the Sharpe is left",
    "independent_sessions": "Sessions that would say as much if none echoed another",
    "dsr_independent": "Deflated Sharpe on so many",
    "effective_candidates": "Candidates that do not move together",
    "luck_sharpe": "Sharpe that luck alone would show",
    "min_track_record_sessions": "Sessions needed to tell it from zero",
    "skew": "Skew of daily returns",
    "kurtosis": "Kurtosis of daily returns",
}


def status(story: Story) -> tuple[Tone, str]:
    checks = story.get("verdict").get("checks") or []
    failed = sum(not check.get("passed") for check in checks)
    if failed:
        return "bad", f"{failed} of {len(checks)} failed"
    return "good", f"{len(checks)} of {len(checks)} passed"


def _answer(name: str, value: Any) -> str:
    if name in CLEAN_OR_NOT:
        return {True: "clean", None: "not run"}.get(_truth(value), "not clean")
    if name in SHARES:
        return words.percent(value)
    return words.chance(value) if name in CHANCES else words.figure(value)


def _check(check: dict[str, Any]) -> Html:
    name, threshold = str(check.get("name") or ""), check.get("threshold")
    title = NAMES.get(name, name.replace("_", " ").capitalize())
    limit = None
    if threshold is not None and name not in CLEAN_OR_NOT:
        bar = words.percent(threshold, 0) if name in SHARES else words.limit(threshold)
        limit = tag("small", ASKED.get(name, "at most"), " ", bar)
    said = tag("div", tag("b", title), tag("p", check.get("plain") or ""))
    answer = tag("b", _answer(name, check.get("value")))
    return tag("li", mark(check.get("passed")), said, tag("div", answer, limit, class_="n"))


def _truth(value: Any) -> bool | None:
    return None if value is None else bool(value)


def planted(story: Story) -> str | None:
    """One line for the top of the page, wherever the market is ours."""
    signal = story.get("verdict").get("signal")
    if story.source != "sandbox" or signal is None:
        return None
    strength = {"strong": "planted, and strong on purpose", "modest": "planted, and modest", "zero": "switched off"}
    told = strength.get(str(signal), f"planted, at {signal}")
    return f"This is the built-in sandbox market, where the signal is {told}."


def _about_the_sandbox(story: Story) -> Html | None:
    """A planted signal proves the machine; it is not a way to earn money, and the page says so."""
    first, verdict = planted(story), story.get("verdict")
    if first is None:
        return None
    told, oracle, signal = [first], words.finite(verdict.get("oracle_sharpe")), verdict.get("signal")
    if oracle is not None and signal != "zero":
        told.append(f"An oracle that knew it would earn a net Sharpe of {words.number(oracle)}.")
    if signal == "zero":
        told.append("There is nothing to find: a promotion here would be a false one.")
    else:
        told.append("An honest gate cannot see much less in so short a history. A real market does not give so much, "
                    "and nothing on this page promises that it does.")  # fmt: skip
    return tag("aside", " ".join(told), class_="aside")


def _visible(story: Story) -> Html | None:
    """The smallest Sharpe this sample could have shown, as one figure or by the chance of seeing it."""
    smallest = story.get("verdict").get("smallest_visible_sharpe")
    if isinstance(smallest, Mapping) and smallest:
        told = words.listed([f"{words.number(smallest[chance], 1)} with a chance of {chance} %"
                             for chance in sorted(smallest, key=float)])  # fmt: skip
    elif words.finite(smallest) is not None:
        told = words.number(smallest, 1)
    else:
        return None
    return paragraph(
        "What this gate could have seen in so many sessions and trials: a true net Sharpe of ", tag("b", told),
        ". A smaller edge, though real, would be turned away for want of evidence."
    )  # fmt: skip


def _calibration(story: Story) -> Html | None:
    """How often these bars were measured to err, or that nobody measured them."""
    told = story.get("verdict").get("gate") or {}
    if not told.get("calibration"):
        return None
    return paragraph(tag("b", f"How this gate errs (preset {told.get('preset')}). "), told["calibration"])


def _ledger(story: Story) -> list[Html]:
    verdict = story.get("verdict")
    trials, card = words.finite(verdict.get("trials_n")), verdict.get("card") or {}
    figures = {**(verdict.get("figures") or {}), **{name: card[name] for name in ("capacity_usd",) if name in card}}
    told = "The verdict does not say how many trials the ledger holds."
    if trials is not None:
        told = (f"N = {words.count(trials)}. Every distinct configuration and seed that anyone ever judged on this "
                "target counts against the next one, and the count never falls.")  # fmt: skip
    counted = words.finite(figures.get("trials_n")) or trials
    if trials is not None and counted != trials:
        told += f" The gate counts it as {words.count(counted)}."
    shown = {"pbo": words.chance, "psr": words.chance, "dsr_independent": words.chance,
             "independent_sessions": words.count, "min_track_record_sessions": words.count,
             "capacity_usd": words.money}
    beside = [(name, shown.get(key, words.figure)(figures[key])) for key, name in BESIDE.items() if key in figures]
    return [
        tag("h3", "The trial ledger"),
        paragraph(told),
        *([tag("h3", "Shown beside, never a bar"), facts(beside)] if beside else []),
        caption(
            f"Record {words.figure(verdict.get('record_seq'))}, strategy ",
            tag("code", words.digest(verdict.get("key"))),
            f", seed {story.seed}.",
        ),
    ]


def draw(story: Story) -> list[Html]:
    checks = [_check(check) for check in story.get("verdict").get("checks") or []]
    sample = caption(f"{story.sample}. Active returns, net of costs and of the cash rate.")
    found = [tag("ol", checks, class_="checks"), sample, _visible(story), _calibration(story),
             _about_the_sandbox(story), *_ledger(story)]  # fmt: skip
    return [part for part in found if part is not None]


PART = Part("gate", "What the gate asked", "Gate", "verdict", "no verdict was reached", status, draw)
