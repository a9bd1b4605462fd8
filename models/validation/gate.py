"""The gate's arithmetic: what is measured on a candidate, against which bar, in words a person can act on."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.validation import statistics
from models.validation.evidence import Check, Evidence, Health
from models.validation.policy import GatePolicy
from models.validation.skill import Asked, visible_sharpe
from models.validation.statistics import YEAR

__all__ = ["Check", "Evidence", "GatePolicy", "Health", "Verdict", "best", "judge", "judge_refresh", "passes"]
FloatArray = npt.NDArray[np.float64]
NON_INFERIORITY_MARGIN = 0.5  # annual Sharpe that a refit may seem to cost before it is refused


@dataclass(frozen=True)
class Verdict:
    act: str  # 'promote' or 'refresh' where passed, else 'reject'
    checks: tuple[Check, ...]
    smallest_visible_sharpe: dict[str, float]  # true annual Sharpe seen with probability '50' and '90' per cent
    figures: dict[str, float]  # shown beside the checks, never a bar

    @property
    def promoted(self) -> bool:
        return self.act != "reject"

    @property
    def reasons(self) -> tuple[str, ...]:
        """The sentences that decided: every failure, or, where all passed, every check."""
        failed = tuple(check.plain for check in self.checks if not check.passed)
        return failed or tuple(check.plain for check in self.checks)


def best(active: FloatArray) -> int:
    """The candidate that the search would pick: highest Sharpe of active returns; the first among equals."""
    spread = active.std(axis=0, ddof=1)
    sharpe = np.divide(active.mean(axis=0), spread, out=np.full(active.shape[1], -np.inf),
                       where=spread > statistics.STILL)
    return int(np.argmax(sharpe))


def health_checks(health: Health) -> list[Check]:
    checks = []
    for name, clean, good, bad in (
        ("leak", health.leak_clean, "No feature, score or decision changes when later-known rows are taken away.",
         "Something that was decided depends on what was only known later."),
        ("parity", health.parity_clean, "The bundle's own scorers repeat the judged scores and weights bit for bit.",
         "The bundle's scorers do not repeat what was judged."),
        ("structure", health.structure_clean, "The fitted files have the structure that they claim.",
         "A fitted file is not what it claims to be."),
        ("ledger", health.ledger_clean, "Every trial that was ever judged is still in the ledger.",
         "The ledger has lost trials that an earlier record counted, so nobody knows how often luck was tried."),
    ):
        if clean is None:
            plain = f"The {name} check did not run, and what was not checked is not clean."
        else:
            plain = good if clean else " ".join([bad, *health.words])
        checks.append(Check(name, None if clean is None else float(clean), 1.0, clean is True, plain))
    strange = len(health.out_of_range) + len(health.missing)
    found = [f"outside the range seen in training: {', '.join(health.out_of_range)}"] if health.out_of_range else []
    found += [f"missing: {', '.join(health.missing)}"] if health.missing else []
    checks.append(Check("feature_range", float(strange), 0.0, strange == 0,
                        f"Tonight's features cannot be trusted; {'; '.join(found)}." if strange
                        else "Every feature is present and within the range seen in training."))
    return checks


def drift_checks(health: Health, policy: GatePolicy) -> list[Check]:
    """Drift is an alarm, and a bar only for who asks for one."""
    most = policy.max_drift_alarms
    if most is None:
        return []
    moved = len(health.drifted)
    return [Check("drift", float(moved), float(most), moved <= most,
                  f"Features that have moved: {', '.join(health.drifted)}." if moved else "No feature has moved.")]


def judge(evidence: Evidence, policy: GatePolicy) -> Verdict:
    """Promote: another configuration takes the slot. The full gate, every check reported whatever the others say."""
    sessions = len(evidence.active)
    if sessions < 2 * policy.blocks:
        short = Check("sessions_judged", float(sessions), float(2 * policy.blocks), False,
                      f"Only {sessions} sessions were judged; with fewer than {2 * policy.blocks} nothing can be said.")
        return Verdict("reject", (short,), {}, {})
    asked = Asked(evidence, policy)
    checks = (*asked.all(), *drift_checks(evidence.health, policy), *health_checks(evidence.health))
    act = "promote" if all(check.passed for check in checks) else "reject"
    return Verdict(act, checks, asked.visible, asked.figures())


def passes(evidence: Evidence, policy: GatePolicy) -> bool:
    """Whether `judge` would promote, from the same questions but without what a refusal makes superfluous: a gate is
    an AND. For whoever asks it a hundred thousand times."""
    if len(evidence.active) < 2 * policy.blocks:
        return False
    clean = (*health_checks(evidence.health), *drift_checks(evidence.health, policy))
    return all(check.passed for check in clean) and Asked(evidence, policy).all_pass()


def judge_refresh(evidence: Evidence, policy: GatePolicy) -> Verdict:
    """Refresh: the champion's configuration with new weights. No test of alpha and no trial: it must not be worse than
    what it replaces, where both were judged, by more than a margin."""
    if evidence.champion_active is None:
        raise ValueError("a refresh needs the champion's own returns to compare with")
    chosen = evidence.active[:, evidence.chosen]
    both = np.isfinite(evidence.champion_active)
    if both.sum() < 2:
        raise ValueError("the champion and its refit were judged on no common sessions")
    difference = chosen[both] - evidence.champion_active[both]
    spread = float(difference.std(ddof=1))
    volatility = float(chosen.std(ddof=1))
    bound = float(difference.mean()) - 1.645 * spread / math.sqrt(len(difference))
    lost = max(0.0, -bound / volatility * math.sqrt(YEAR)) if volatility > 0.0 else math.inf
    passed = lost <= NON_INFERIORITY_MARGIN
    checks = (Check("non_inferiority", lost, NON_INFERIORITY_MARGIN, passed,
                    f"On the {len(difference)} sessions that both were judged on, the refit costs at most "
                    f"{lost:.2f} of annual Sharpe (95 %), "
                    f"{'within' if passed else 'beyond'} the margin of {NON_INFERIORITY_MARGIN}."),
              *health_checks(evidence.health))
    record = statistics.moments(chosen)
    trials = max(evidence.trials_n, policy.min_trials)
    figures = {"sharpe_active": record.sharpe * math.sqrt(YEAR), "sessions": float(len(chosen)),
               "trials_n": float(trials), "psr": statistics.psr(record), "dsr": statistics.dsr(record, trials)}
    visible = visible_sharpe(len(chosen), trials, policy)
    return Verdict("refresh" if all(check.passed for check in checks) else "reject", checks, visible, figures)
