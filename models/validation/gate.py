"""The gate's arithmetic: what is measured on a candidate, against which bar, in words a person can act on."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.validation import overfitting, statistics, superior

FloatArray = npt.NDArray[np.float64]
YEAR = 252
NON_INFERIORITY_MARGIN = 0.5  # annual Sharpe that a refit may seem to cost before it is refused


@dataclass(frozen=True)
class GatePolicy:
    """The bars of one preset. Changing one changes how often noise is promoted."""

    name: str = "default"
    min_dsr: float = 0.95
    max_loss_probability: float = 0.20
    max_spa_p: float = 0.05
    cost_stress: float = 2.0
    min_trials: int = 10
    blocks: int = 16


@dataclass(frozen=True)
class Health:
    """What other steps found; `None` where a check did not run, which never counts as clean."""

    leak_clean: bool | None
    parity_clean: bool | None
    structure_clean: bool | None
    out_of_range: tuple[str, ...] = ()  # features that left the range seen in training
    missing: tuple[str, ...] = ()
    ledger_clean: bool | None = True  # every trial that was ever written down is still there
    words: tuple[str, ...] = ()  # what exactly was found, when something was


@dataclass(frozen=True)
class Evidence:
    """Judged returns, active: net of costs and cash, less beta times buy-and-hold. Columns are candidates."""

    names: tuple[str, ...]
    active: FloatArray  # (T, N)
    active_stressed: FloatArray  # (T,) of the chosen one, at `cost_stress` times the costs
    chosen: int
    champion_active: FloatArray | None  # (T,), NaN where it was not judged; None where nobody holds the slot
    trials_n: int  # of the ledger
    health: Health
    seed: int


@dataclass(frozen=True)
class Check:
    name: str
    value: float | None
    threshold: float | None
    passed: bool
    plain: str


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


def _chance(p_value: float) -> str:
    """A bootstrap says no more than its resamples allow."""
    least = 1.0 / superior.RESAMPLES
    return f"under {least}" if p_value < least else f"{p_value:.3f}"


def best(active: FloatArray) -> int:
    """The candidate that the search would pick: highest Sharpe of active returns; the first among equals."""
    spread = active.std(axis=0, ddof=1)
    sharpe = np.divide(active.mean(axis=0), spread, out=np.full(active.shape[1], -np.inf), where=spread > 0.0)
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


def _skill_checks(evidence: Evidence, policy: GatePolicy) -> tuple[list[Check], dict[str, float], dict[str, float]]:
    chosen = evidence.active[:, evidence.chosen]
    sessions, trials = len(chosen), max(evidence.trials_n, policy.min_trials)
    record = statistics.moments(chosen)
    dsr = statistics.dsr(record, trials)
    luck = statistics.expected_maximum(trials, 1.0 / (sessions - 1)) * math.sqrt(YEAR)
    sharpe = record.sharpe * math.sqrt(YEAR)
    cscv = overfitting.cscv(evidence.active, policy.blocks)
    nobody = np.zeros(sessions)  # buy-and-hold has no active return
    spa = superior.spa_p_value(evidence.active, nobody, seed=evidence.seed)
    visible = {f"{power:.0%}".rstrip("%"): statistics.smallest_visible_sharpe(
        sessions, trials, min_dsr=policy.min_dsr, power=power) for power in (0.5, 0.9)}

    enough = dsr >= policy.min_dsr
    against_luck = (f"An active Sharpe of {sharpe:.2f} over {sessions} sessions, when the best of {trials} worthless "
                    f"trials would be expected to show {luck:.2f}: deflated Sharpe {dsr:.3f}, ")
    checks = [Check("deflated_sharpe", dsr, policy.min_dsr, enough, against_luck + (
        f"above the bar of {policy.min_dsr}." if enough else
        f"below the bar of {policy.min_dsr}. Luck is not ruled out; with this much data the gate sees a true Sharpe of "
        f"{visible['50']:.1f} half the time and {visible['90']:.1f} nine times in ten."))]
    robust = cscv.loss_probability <= policy.max_loss_probability
    checks.append(Check("loss_probability", cscv.loss_probability, policy.max_loss_probability, robust,
                        f"The best candidate of one half of the time loses money in the other half in "
                        f"{cscv.loss_probability:.0%} of {cscv.splits:,} splits; "
                        f"{'at most' if robust else 'more than the'} {policy.max_loss_probability:.0%} allowed."))
    rivals = [("buy_and_hold", "holding the universe", spa)]
    if evidence.champion_active is not None:
        both = np.isfinite(evidence.champion_active)
        against = superior.spa_p_value(evidence.active[both], evidence.champion_active[both], seed=evidence.seed)
        rivals.append(("champion", "the champion", against))
    for name, words, p_value in rivals:
        beats = p_value < policy.max_spa_p
        checks.append(Check(f"spa_{name}", p_value, policy.max_spa_p, beats,
                            f"That the search does no better than {words} has probability {_chance(p_value)} (SPA), "
                            f"{'below' if beats else 'not below'} {policy.max_spa_p}."))
    stressed = float(evidence.active_stressed.mean()) * YEAR
    checks.append(Check("cost_stress", stressed, 0.0, stressed > 0.0,
                        f"At {policy.cost_stress:g} times the costs it "
                        f"{'still earns' if stressed > 0.0 else 'loses'} {abs(stressed):.1%} a year of active return."))
    figures = {"sharpe_active": sharpe, "skew": record.skew, "kurtosis": record.kurtosis, "sessions": float(sessions),
               "trials_n": float(trials), "trial_variance": 1.0 / (sessions - 1), "luck_sharpe": luck,
               "psr": statistics.psr(record), "t_statistic": record.sharpe * math.sqrt(sessions), "pbo": cscv.pbo,
               "is_oos_slope": cscv.slope, "min_track_record_sessions": statistics.min_track_record(record)}
    return checks, visible, figures


def judge(evidence: Evidence, policy: GatePolicy) -> Verdict:
    """Promote: another configuration takes the slot. The full gate, every check reported whatever the others say."""
    sessions = len(evidence.active)
    if sessions < 2 * policy.blocks:
        short = Check("sessions_judged", float(sessions), float(2 * policy.blocks), False,
                      f"Only {sessions} sessions were judged; with fewer than {2 * policy.blocks} nothing can be said.")
        return Verdict("reject", (short,), {}, {})
    skill, visible, figures = _skill_checks(evidence, policy)
    checks = (*skill, *health_checks(evidence.health))
    return Verdict("promote" if all(check.passed for check in checks) else "reject", checks, visible, figures)


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
    visible = {f"{power:.0%}".rstrip("%"): statistics.smallest_visible_sharpe(
        len(chosen), trials, min_dsr=policy.min_dsr, power=power) for power in (0.5, 0.9)}
    return Verdict("refresh" if all(check.passed for check in checks) else "reject", checks, visible, figures)
