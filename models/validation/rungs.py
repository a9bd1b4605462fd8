"""The rungs above the gate: what each asks of sessions that were lived since, by the same reviewed policy file.

A gate judges the past, and whoever has the past can choose by it: no rung with money is reached on the past alone."""

import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from models.validation import policy as policy_module
from models.validation.evidence import Check
from models.validation.statistics import STILL, YEAR, annual_sharpe

FloatArray = npt.NDArray[np.float64]
LADDER = ("shadow", "canary", "champion")
CERTAIN = 1.645  # one-sided 95 %
# What each rung asks and what it cannot say; told wherever the ladder is.
QUESTIONS = {
    "candidate": ("Can it be made again, and does it look ahead?", "skill"),
    "validated": ("Is it better than luck?", "the regimes to come"),
    "shadow": ("Does live equal what was judged?", "skill: a few weeks hold none"),
    "canary": ("Does it trade safely, on little money?", "skill"),
    "champion": ("Is it still what was let through?", "-"),
    "retired": ("Nothing is asked of it any more.", "-"),
}


@dataclass(frozen=True)
class RungPolicy:
    """What a rung asks of the sessions on the one below it. A bar that is None is not asked."""

    sessions: int
    capital_share: float  # of the account that it may use on this rung
    min_parity: float = 1.0
    min_fresh_evidence: float | None = None
    max_refused: float | None = None
    slippage: bool = False
    loss_bound: bool = False
    min_paper_sharpe: float | None = None
    max_paper_drawdown: float | None = None


@dataclass(frozen=True)
class Demotion:
    """What takes the slot from who holds it: a Sharpe under this over so many trades, more features that have moved
    than these, or the alarm of decay's watch. None, or False, asks nothing."""

    trades: int
    min_sharpe: float
    max_drift_alarms: int | None = None
    decayed: bool = False


@dataclass(frozen=True)
class Lived:
    """Sessions on a rung, from the journal; one row each. `repeated` is NaN where nobody compared it with judgement."""

    sessions: tuple[str, ...]
    returns: FloatArray  # of the account, net, above cash
    repeated: FloatArray  # 1 where features and scores are those of judgement and every cent has a cause, 0 where not
    slippage: FloatArray  # share of the account lost to fills that were not as judged
    orders: int = 0
    refused: int = 0


@dataclass(frozen=True)
class Fresh:
    """Judged active returns of the sessions after the configuration was first written down, and what was expected."""

    active: FloatArray
    daily_volatility: float
    expected_sharpe: float
    registered: str


@lru_cache
def _tables() -> dict[str, dict[str, Any]]:
    return tomllib.loads(policy_module.FILE.read_text())


def rung(preset: str, name: str) -> RungPolicy:
    """What this preset asks of whoever would reach a rung."""
    return RungPolicy(**_tables()[preset][name])


def demotion(preset: str) -> Demotion | None:
    told = _tables()[preset].get("demote")
    return Demotion(**told) if told else None


def next_rung(held: str) -> str | None:
    at = LADDER.index(held)
    return LADDER[at + 1] if at + 1 < len(LADDER) else None


def evidence_ratio(fresh: Fresh) -> float:
    """How much likelier the fresh sessions are with the expected skill than with none. A strategy without skill ever
    reaches 1 / p with probability p at most, however often one looks (Ville)."""
    if not len(fresh.active):
        return 1.0
    volatility = max(fresh.daily_volatility, float(fresh.active.std()))
    daily = fresh.expected_sharpe / math.sqrt(YEAR)
    told = daily * fresh.active / volatility - daily**2 / 2.0
    return math.exp(min(float(told.sum()), 50.0))


def sessions_needed(bar: float, expected_sharpe: float) -> int:
    """Fresh sessions after which a strategy as good as expected has reached the bar about half the time."""
    return math.ceil(2.0 * math.log(bar) / (expected_sharpe**2 / YEAR))


def loss_bound(sessions: int, daily_volatility: float) -> float:
    """The loss, as a share of what it trades, that a strategy without skill exceeds in five of a hundred such runs:
    written down before the first order, never after."""
    return CERTAIN * daily_volatility * math.sqrt(sessions)


def paper_sharpe(returns: FloatArray) -> float:
    return annual_sharpe(returns)


def drawdown(returns: FloatArray) -> float:
    equity = np.concatenate([[1.0], np.cumprod(1.0 + returns)])
    return float((1.0 - equity / np.maximum.accumulate(equity)).max())


def climb_checks(lived: Lived, fresh: Fresh, asks: RungPolicy) -> tuple[Check, ...]:
    """Every question of a rung, whatever the others answered."""
    checks = [_sessions(lived, asks), _parity(lived, asks)]
    if asks.min_fresh_evidence is not None:
        checks.append(_fresh(fresh, asks.min_fresh_evidence))
    if asks.max_refused is not None:
        checks.append(_refused(lived, asks.max_refused))
    if asks.slippage:
        checks.append(_slippage(lived))
    if asks.loss_bound:
        checks.append(_loss(lived, fresh))
    if asks.min_paper_sharpe is not None and asks.max_paper_drawdown is not None:
        checks += _paper(lived, asks.min_paper_sharpe, asks.max_paper_drawdown)
    return tuple(checks)


def _sessions(lived: Lived, asks: RungPolicy) -> Check:
    count = len(lived.sessions)
    enough = count >= asks.sessions
    return Check("sessions_lived", float(count), float(asks.sessions), enough,
                 f"{count} {'session' if count == 1 else 'sessions'} of the journal lived on this rung; "
                 f"{asks.sessions} are asked for.")


def _parity(lived: Lived, asks: RungPolicy) -> Check:
    compared = lived.repeated[np.isfinite(lived.repeated)]
    share = float(compared.mean()) if len(compared) else None
    passed = share is not None and share >= asks.min_parity and len(compared) >= asks.sessions
    plain = "No session was compared with judgement yet." if share is None else (
        f"Of the {len(compared)} sessions that were compared with judgement {share:.0%} repeat its features and "
        "scores, with every cent of any difference explained.")
    return Check("decision_parity", share, asks.min_parity, passed, plain)


def _fresh(fresh: Fresh, bar: float) -> Check:
    count, ratio = len(fresh.active), evidence_ratio(fresh)
    passed = count > 0 and ratio >= bar
    needed = sessions_needed(bar, fresh.expected_sharpe)
    since = (f"the {count} sessions since are {ratio:.3g} times as likely with the skill it was let through for as "
             f"without any; {bar:g} is asked for" if count else "no session has passed since")
    return Check("fresh_evidence", ratio, bar, passed,
                 f"First written down on {fresh.registered[:10]}; {since}. What was known before could be chosen by. "
                 f"A strategy as good as expected (Sharpe {fresh.expected_sharpe:.1f} after luck) needs about {needed} "
                 "sessions.")


def _refused(lived: Lived, most: float) -> Check:
    share = lived.refused / max(1, lived.orders + lived.refused)
    return Check("refused_orders", share, most, share <= most,
                 f"{lived.refused} of {lived.orders + lived.refused} orders were refused by a limit or the venue "
                 f"({share:.1%}; at most {most:.0%}).")


def _slippage(lived: Lived) -> Check:
    known = lived.slippage[np.isfinite(lived.slippage)]
    if len(known) < 3:
        return Check("slippage", None, 0.0, False, "Too few sessions tell how fills compare with the cost model.")
    mean, error = float(known.mean()), float(known.std(ddof=1)) / math.sqrt(len(known))
    low = mean - CERTAIN * error
    return Check("slippage", low, 0.0, low <= 0.0,
                 f"Fills cost {mean * 1e4:.2f} bp of the account a session more than the cost model says, "
                 f"{'within' if low <= 0.0 else 'beyond'} what chance explains (95 %).")


def _loss(lived: Lived, fresh: Fresh) -> Check:
    bound = loss_bound(max(1, len(lived.sessions)), fresh.daily_volatility)
    lost = -float(lived.returns.sum())
    return Check("loss_bound", lost, bound, lost <= bound,
                 f"It {'lost' if lost > 0 else 'made'} {abs(lost):.2%} on this rung; the bound for so many sessions, "
                 f"stated beforehand, is a loss of {bound:.2%}.")


def _paper(lived: Lived, least: float, most: float) -> list[Check]:
    sharpe, fall = paper_sharpe(lived.returns), drawdown(lived.returns)
    known = math.isfinite(sharpe)
    return [Check("paper_sharpe", sharpe if known else None, least, known and sharpe > least,
                  f"Sharpe {sharpe:.2f} over {len(lived.returns)} sessions lived; above {least:g} is asked for."
                  if known else "Too few sessions were lived for a Sharpe."),
            Check("paper_drawdown", fall, most, fall < most,
                  f"A drawdown of {fall:.1%} on this rung; under {most:.0%} is asked for.")]


def demotion_check(profits: FloatArray, asks: Demotion) -> Check:
    """`profits` of closed trades in their order, each as a multiple of what it risked."""
    if len(profits) < asks.trades:
        return Check("rolling_trades", None, asks.min_sharpe, True,
                     f"{len(profits)} trades were closed; the rule looks at the last {asks.trades}.")
    last = profits[-asks.trades :]
    mean, spread = float(last.mean()), float(last.std(ddof=1))
    if not spread > STILL:  # all alike: every one at its stop, say
        earned = mean > 0.0
        return Check("rolling_trades", None, asks.min_sharpe, earned,
                     f"The last {asks.trades} trades all came to {mean:.2f} of what they risked, which has no Sharpe"
                     f"{'.' if earned else ': what never wins loses the slot.'}")
    sharpe = mean / spread * math.sqrt(asks.trades)
    return Check("rolling_trades", sharpe if math.isfinite(sharpe) else None, asks.min_sharpe,
                 not sharpe < asks.min_sharpe,
                 f"Over the last {asks.trades} trades the Sharpe is {sharpe:.2f}; under {asks.min_sharpe:g} the slot "
                 "is lost.")


def unwell_checks(drifted: Sequence[str], decayed: str | None, asks: Demotion) -> list[Check]:
    """What the night found of the market and of what was earned: the features that have moved, and the plain words of
    decay's alarm where it has one."""
    checks = []
    if (most := asks.max_drift_alarms) is not None:
        moved = len(drifted)
        checks.append(Check("drift", float(moved), float(most), moved <= most,
                            f"Features have moved: {', '.join(drifted)}." if moved else "No feature has moved."))
    if asks.decayed:
        checks.append(Check("decay", float(decayed is not None), 0.0, decayed is None,
                            decayed or "Decay's watch has no alarm."))
    return checks
