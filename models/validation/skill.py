"""The gate's questions of skill, each a function of the evidence, so that whoever needs only the answer may stop at the
first refusal."""

import math
from dataclasses import replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from models.validation import beside, overfitting, statistics, superior
from models.validation.evidence import Check, Evidence
from models.validation.policy import GatePolicy
from models.validation.statistics import YEAR, annual_sharpe

FloatArray = npt.NDArray[np.float64]


def _chance(p_value: float) -> str:
    """A bootstrap says no more than its resamples allow."""
    least = 1.0 / superior.RESAMPLES
    return f"under {least}" if p_value < least else f"{p_value:.3f}"


def visible_sharpe(sessions: int, trials: int, policy: GatePolicy) -> dict[str, float]:
    """True annual Sharpe that the deflated bar lets through with probability '50' and '90' per cent; none without."""
    if policy.min_dsr <= 0.0:
        return {}
    return {f"{power:.0%}".rstrip("%"): statistics.smallest_visible_sharpe(
        sessions, trials, min_dsr=policy.min_dsr, power=power) for power in (0.5, 0.9)}


class Asked:
    """One candidate's evidence under one policy; a bar that could refuse nothing is not asked. What is costly is
    computed when it is asked for, and once."""

    def __init__(self, evidence: Evidence, policy: GatePolicy) -> None:
        self.evidence, self.policy = evidence, policy
        self.chosen = evidence.active[:, evidence.chosen]
        self.sessions, self.trials = len(self.chosen), max(evidence.trials_n, policy.min_trials)
        self.record = statistics.moments(self.chosen)
        self.sharpe = self.record.sharpe * math.sqrt(YEAR)
        self.luck = statistics.expected_maximum(self.trials, 1.0 / (self.sessions - 1)) * math.sqrt(YEAR)

    @cached_property
    def cscv(self) -> overfitting.Overfitting:
        return overfitting.cscv(self.evidence.active, self.policy.blocks)

    @cached_property
    def visible(self) -> dict[str, float]:
        return visible_sharpe(self.sessions, self.trials, self.policy)

    def deflated_sharpe(self) -> list[Check]:
        policy = self.policy
        if policy.min_dsr <= 0.0:
            return []
        dsr = statistics.dsr(self.record, self.trials)
        enough = dsr >= policy.min_dsr
        against_luck = (f"An active Sharpe of {self.sharpe:.2f} over {self.sessions} sessions, when the best of "
                        f"{self.trials} worthless trials would be expected to show {self.luck:.2f}: deflated Sharpe "
                        f"{dsr:.3f}, ")
        return [Check("deflated_sharpe", dsr, policy.min_dsr, enough, against_luck + (
            f"above the bar of {policy.min_dsr}." if enough else
            f"below the bar of {policy.min_dsr}. Luck is not ruled out; with this much data the gate sees a true "
            f"Sharpe of {self.visible['50']:.1f} half the time and {self.visible['90']:.1f} nine times in ten."))]

    def plain_sharpe(self) -> list[Check]:
        least = self.policy.min_sharpe
        if least is None:
            return []
        above = self.sharpe > least
        return [Check("sharpe", self.sharpe, least, above,
                      f"An active Sharpe of {self.sharpe:.2f} over {self.sessions} sessions is "
                      f"{'above' if above else 'not above'} the bar of {least:g}.")]

    def thirds(self) -> list[Check]:
        least = self.policy.min_third_sharpe
        if least is None:
            return []
        worst = float(np.min([annual_sharpe(part) for part in np.array_split(self.chosen, 3)]))  # nan if one is still
        stable = worst > least
        return [Check("stable", worst, least, stable,
                      f"In its worst third of the time the active Sharpe is {worst:.2f}, "
                      f"{'above' if stable else 'not above'} {least:g}.")]

    def loss_probability(self) -> list[Check]:
        most = self.policy.max_loss_probability
        if most >= 1.0:
            return []
        cscv = self.cscv
        robust = cscv.loss_probability <= most
        return [Check("loss_probability", cscv.loss_probability, most, robust,
                      f"The best candidate of one half of the time loses money in the other half in "
                      f"{cscv.loss_probability:.0%} of {cscv.splits:,} splits; "
                      f"{'at most' if robust else 'more than the'} {most:.0%} allowed.")]

    def superior(self) -> list[Check]:
        evidence, policy = self.evidence, self.policy
        if policy.max_spa_p > 1.0:
            return []
        nobody = np.zeros(self.sessions)  # buy-and-hold has no active return
        rivals = [("buy_and_hold", "holding the universe",
                   superior.spa_p_value(evidence.active, nobody, seed=evidence.seed))]
        if evidence.champion_active is not None:
            both = np.isfinite(evidence.champion_active)
            rivals.append(("champion", "the champion", superior.spa_p_value(
                evidence.active[both], evidence.champion_active[both], seed=evidence.seed)))
        checks = []
        for name, words, p_value in rivals:
            beats = p_value < policy.max_spa_p
            checks.append(Check(f"spa_{name}", p_value, policy.max_spa_p, beats,
                                f"That the search does no better than {words} has probability {_chance(p_value)} "
                                f"(SPA), {'below' if beats else 'not below'} {policy.max_spa_p}."))
        return checks

    def cost_stress(self) -> list[Check]:
        stressed = float(self.evidence.active_stressed.mean()) * YEAR
        return [Check("cost_stress", stressed, 0.0, stressed > 0.0,
                      f"At {self.policy.cost_stress:g} times the costs it "
                      f"{'still earns' if stressed > 0.0 else 'loses'} {abs(stressed):.1%} a year of active return.")]

    def all(self) -> list[Check]:
        """As they are told: each question, whatever the others answered."""
        return [*self.deflated_sharpe(), *self.plain_sharpe(), *self.thirds(), *self.loss_probability(),
                *self.superior(), *self.cost_stress()]

    def refusal(self) -> Check | None:
        """The first refusal of the same questions, the cheap ones first; those after it are not asked."""
        return next((one for ask in (self.deflated_sharpe, self.plain_sharpe, self.thirds, self.cost_stress,
                                     self.loss_probability, self.superior) for one in ask() if not one.passed), None)

    def all_pass(self) -> bool:
        return self.refusal() is None

    def figures(self) -> dict[str, float]:
        """Shown beside the checks, never a bar."""
        record, cscv = self.record, self.cscv
        independent = beside.independent_sessions(self.chosen)
        echoing = replace(record, length=max(3, round(independent)))
        return {"sharpe_active": self.sharpe, "skew": record.skew, "kurtosis": record.kurtosis,
                "sessions": float(self.sessions), "trials_n": float(self.trials),
                "trial_variance": 1.0 / (self.sessions - 1), "luck_sharpe": self.luck,
                "independent_sessions": independent, "dsr_independent": statistics.dsr(echoing, self.trials),
                "psr": statistics.psr(record), "t_statistic": record.sharpe * math.sqrt(self.sessions),
                "worst_path_sharpe": beside.worst_path(self.evidence.active),
                "worst_regime_sharpe": math.nan if self.evidence.regimes is None
                else beside.worst_regime(self.chosen, self.evidence.regimes),
                "effective_candidates": beside.effective_candidates(self.evidence.active),
                "pbo": cscv.pbo, "is_oos_slope": cscv.slope,
                "min_track_record_sessions": statistics.min_track_record(record)}
