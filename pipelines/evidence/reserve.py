"""The reserve of a target: its last sessions at first registration, which no search is judged on. It is opened once,
for the first strategy that passes everything else; it can only refuse; from then on it is ordinary ground.

Off unless `training.reserve_share` asks for it (0.2 is usual): two judged years have nothing to spare. The ledger says
when a reserve was set aside and for whom it was opened, before anybody looked; the record that came of it holds the
returns, so that its answer can be computed again.
"""

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import tensors
from models.strategy import StrategyConfig
from models.validation.gate import Check, Verdict
from models.validation.statistics import annual_sharpe
from pipelines import durable
from pipelines.evidence.judged import JudgedNight
from pipelines.evidence.ledger import Ledger, Trial
from pipelines.evidence.records import Records
from pipelines.home import Home
from pipelines.settings import Settings
from pipelines.training.candidates import TARGET

Floats = NDArray[np.float64]
FILE = "reserve.safetensors"
FEWEST_SESSIONS = 20


@dataclass(frozen=True)
class Reserve:
    """Sessions, both included."""

    first: np.datetime64
    last: np.datetime64


def set_aside(ledger: Ledger, sessions: NDArray[np.datetime64], share: float, now: dt.datetime) -> Reserve:
    """The target's reserve: that of its first registration, or the last of these sessions from now on."""
    for row in ledger.rows("reserve"):
        if row["target"] == TARGET and row["detail"]["act"] == "set aside":
            return Reserve(np.datetime64(row["detail"]["first"]), np.datetime64(row["detail"]["last"]))
    days = np.asarray(sessions, "datetime64[D]")
    first, last = days[-max(1, int(len(days) * share))], days[-1]
    detail = {"act": "set aside", "first": str(first), "last": str(last), "share": share}
    ledger.register_many([Trial("reserve", TARGET, "", 0, detail)], now)
    return Reserve(first, last)


def answered(home: Home) -> bool:
    """Whether a record holds the reserve's answer: it is opened once. Without one, whoever was killed asks again."""
    return any("reserve" in record.content for record in Records(home).all())


def sealed(home: Home, settings: Settings, ledger: Ledger, walked: Any, now: dt.datetime) -> Any:
    """What was walked without the sessions of a reserve that is closed; all of it where there is none."""
    if settings.training.reserve_share <= 0.0 or answered(home):
        return walked
    reserve = set_aside(ledger, walked.sessions, settings.training.reserve_share, now)
    count = int(np.searchsorted(walked.sessions, reserve.first))
    stop = int(walked.rows[0]) + count
    folds = {name: [replace(fold, test=fold.test[fold.test < stop]) for fold in folds if fold.test[0] < stop]
             for name, folds in walked.folds.items()}
    return replace(walked, rows=walked.rows[:count], sessions=walked.sessions[:count], regimes=walked.regimes[:count],
                   weights={name: values[:count] for name, values in walked.weights.items()}, folds=folds,
                   **{part: {name: values[:count] for name, values in getattr(walked, part).items()}
                      for part in ("rank_ic", "raw")})


def question(active: Floats, reserve: Reserve) -> Check:
    """It loses nothing in the sessions that no search has seen."""
    if len(active) < FEWEST_SESSIONS:
        return Check("reserve", None, 0.0, False, f"Only {len(active)} sessions were held back; with fewer than "
                     f"{FEWEST_SESSIONS} nothing can be said of them.")
    sharpe = annual_sharpe(active)
    kept = bool(sharpe > 0.0)
    return Check("reserve", sharpe, 0.0, kept,
                 f"In the {len(active)} sessions held back until now ({reserve.first} to {reserve.last}) its active "
                 f"Sharpe is {sharpe:.2f}: {'no reason to refuse it' if kept else 'what the search saw did not last'}.")


def keep(home: Home, whole: JudgedNight, open_sessions: int) -> None:
    """What every candidate earned where no search looks, put away until it is asked for."""
    held_back = {one["key"]: np.ascontiguousarray(whole.series["active"][open_sessions:, at])
                 for at, one in enumerate(whole.candidates)}
    days = whole.sessions[open_sessions:].astype("datetime64[D]").astype(np.int64)
    durable.write_atomic(home.work / "judgement" / FILE, tensors.write({"sessions": days, **held_back}),
                         failpoint="reserve")


def opened(home: Home, settings: Settings, strategy: StrategyConfig, ledger: Ledger, now: dt.datetime,
           verdict: Verdict) -> tuple[Verdict, dict[str, Any], dict[str, bytes]]:
    """(verdict, what the record says, evidence). A reserve that is closed is opened for whoever passed everything else;
    it is written down before anybody looks."""
    if settings.training.reserve_share <= 0.0 or verdict.act != "promote" or answered(home):
        return verdict, {}, {}
    kept = {row["detail"]["act"]: row["detail"] for row in ledger.rows("reserve") if row["target"] == TARGET}
    told = {"first": kept["set aside"]["first"], "last": kept["set aside"]["last"]}
    ledger.register_many([Trial("reserve", TARGET, strategy.key(), settings.seed, {"act": "opened", **told})], now)
    held_back = tensors.read((home.work / "judgement" / FILE).read_bytes())
    within = held_back["sessions"].astype("datetime64[D]") <= np.datetime64(told["last"])
    evidence = {FILE: tensors.write({"active": np.ascontiguousarray(held_back[strategy.key()][within])})}
    return answer(verdict, told, evidence[FILE]), {"reserve": told}, evidence


def answer(verdict: Verdict, told: dict[str, Any], evidence: bytes) -> Verdict:
    """The verdict with the reserve's answer, from what a record says and the returns it names: a veto only."""
    reserve = Reserve(np.datetime64(told["first"]), np.datetime64(told["last"]))
    check = question(tensors.read(evidence)["active"], reserve)
    return replace(verdict, act=verdict.act if check.passed else "reject", checks=(*verdict.checks, check))
