"""Tonight's tear sheets: one page for the strategy in question and one for every other candidate."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.backtest import Prices
from models.market.costs import CostModel
from models.validation.overfitting import Overfitting, cscv
from pipelines import durable
from pipelines.evidence.judged import JudgedNight
from pipelines.evidence.price_tag import judged_window
from pipelines.home import Home
from pipelines.report import words
from pipelines.report.sheet import Comparison, Sheet, compose, figures
from pipelines.report.sheet.record import Capacity
from pipelines.training.decided import Decided

Floats = NDArray[np.float64]
FOLDER = "tear-sheets"
SCREENED = (3e6, 30e6, 100e6)  # capitals at which every candidate is tried; the one in question at more


@dataclass(frozen=True)
class Desk:
    """What all sheets of a night are drawn from."""

    night: JudgedNight
    decided: Decided
    prices: Prices
    returns: Floats  # (judged sessions, names) open to next open
    sections: dict[str, dict[str, Any]]  # judged, training, verdict, price_tag
    seed: int

    def about_it(self, at: int) -> bool:
        """Whether the night is about this one: the verdict's strategy or, where there was none to reach, the best."""
        key = self.sections["verdict"].get("key") or self.sections.get("price_tag", {}).get("key")
        return bool(self.night.candidates[at]["key"] == key)

    def about(self, name: str) -> dict[str, Any]:
        """The judged section's part on one strategy."""
        return next(one for one in self.sections["judged"]["strategies"] if one["name"] == name)


def file_of(name: str) -> str:
    """A file's name from a strategy's: nothing of it can leave the folder."""
    return f"{re.sub(r'[^A-Za-z0-9._-]+', '-', name).strip('.-') or 'strategy'}.html"


def write(home: Home, desk: Desk, night: str) -> list[dict[str, Any]]:
    """All sheets of the night; what the report and the graph link to."""
    searched = _searched(desk.night)
    made = []
    for at in desk.night.of_kind("candidate") or desk.night.of_kind("baseline"):
        sheet = of_candidate(desk, at, searched)
        path = f"{night}/{FOLDER}/{file_of(sheet.name)}"
        page = compose(sheet, f"tear sheet, the night to {words.long_day(night)}")
        durable.write_atomic(home.reports / path, page.encode(), failpoint="tear_sheet")
        made.append({"name": sheet.name, "role": sheet.role, "path": path,
                     "chosen": desk.about_it(at)})
    return sorted(made, key=lambda one: (not one["chosen"], one["name"]))


def _searched(night: JudgedNight) -> Overfitting | None:
    columns = night.of_kind("candidate")
    if len(columns) < 2 or len(night.sessions) < 32:
        return None
    return cscv(np.ascontiguousarray(night.series["active"][:, columns]))


def _role(desk: Desk, at: int) -> tuple[str, str, str]:
    """(role, tone, sentence)"""
    verdict = desk.sections["verdict"]
    sample = words.plural(len(desk.night.sessions), "session")
    if desk.night.candidates[at]["kind"] != "candidate":
        return "Rule", "quiet", f"A rule that learns nothing, judged on {sample}; no rule is ever promoted."
    if not desk.about_it(at):
        return "Candidate", "quiet", (f"Judged on {sample} beside {verdict.get('strategy', 'the others')}, which the "
                                      "night’s verdict is about.")
    if verdict.get("act") == "refresh":
        return "Champion", "good", f"Holds the slot, with weights refitted tonight; judged on {sample}."
    if verdict.get("promoted"):
        return "Champion", "good", f"Let through tonight on {sample}: it may trade, on paper, from the next session."
    if verdict.get("act") == "propose":
        return "Proposed", "warn", f"Passed every bar on {sample}; a person decides."
    reason = next(iter(verdict.get("reasons") or []), "It did not pass the gate.")
    return "Refused", "bad", str(reason)


def of_candidate(desk: Desk, at: int, searched: Overfitting | None) -> Sheet:
    night, told = desk.night, desk.night.candidates[at]
    about, section = desk.about(told["name"]), desk.sections
    chosen = desk.about_it(at)
    role, tone, sentence = _role(desk, at)
    of = {name: np.ascontiguousarray(values[:, at]) for name, values in night.series.items()}
    costs, window = CostModel(**night.costs), judged_window(desk.prices, night)
    capitals = figures.CAPITALS_USD if chosen else SCREENED
    others = [usd for usd in capitals if usd != costs.capital_usd]
    own = Capacity(costs.capital_usd, about["sharpe_net"], about["sharpe_gross"], float(of["cost"].mean()) * 1e4,
                   _filled(desk, at, of["turnover"]))
    sizes = [*figures.capacity(window, desk.decided.of(told["key"]), costs, others), own]
    learned = told["kind"] == "candidate" and night.strategy(at).rule is None
    came_true = []
    if learned:
        came_true = figures.calibration(figures.blended(night.strategy(at), desk.decided.raw), desk.returns)
    tags = section.get("price_tag") or {}
    return Sheet(
        told["name"], role, tone, sentence, [str(day) for day in night.sessions], of["net"], night.cash_rate_session,
        costs.capital_usd, of["gross"], of["active"], of["cost"], of["turnover"], of["net_exposure"],
        others=_others(night, at), folds=about["folds"], regimes=about["by_regime"],
        importances=section["training"].get("families", {}).get("gbm", {}).get("importances", {}) if learned else {},
        calibration=came_true,
        capacity=sorted(sizes, key=lambda one: one.capital_usd),
        trials=int(section["verdict"].get("figures", {}).get("trials_n") or 0) or None,
        pbo=searched.pbo if searched else None, loss_probability=searched.loss_probability if searched else None,
        price_tag=tags if tags.get("key") == told["key"] else {}, seed=desk.seed,
        links=(("The night’s report", "../index.html"), ("judged returns", "../judged-returns.csv"),
               ("trades", "../judged-trades.csv"), ("positions", "../judged-positions.csv")))


def _filled(desk: Desk, at: int, turnover: Floats) -> float:
    weights = desk.decided.of(desk.night.candidates[at]["key"])
    wanted = float(np.abs(np.diff(np.vstack([np.zeros((1, weights.shape[1])), weights]), axis=0)).sum())
    return min(float(turnover.sum()) / wanted, 1.0) if wanted > 0.0 else 1.0


def _others(night: JudgedNight, own: int) -> list[Comparison]:
    found = [Comparison("Buy and hold", night.benchmark, "bench")]
    for number, at in enumerate([at for at in night.of_kind("baseline") if at != own][:4]):
        found.append(Comparison(night.candidates[at]["name"], np.ascontiguousarray(night.series["net"][:, at]),
                                f"b{number + 1}"))
    return found
