"""What a strategy went through since it was let through: sessions of the journals on its rung, each with what the
morning after found, and judged returns of the sessions after it was first written down."""

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.market.costs import CostModel
from models.validation.rungs import Fresh, Lived
from pipelines import calendars, sqlite
from pipelines.evidence import publish
from pipelines.evidence.decay import LEAST_HEALTHY_SHARPE, let_through
from pipelines.evidence.judged import JudgedNight
from pipelines.evidence.ledger import Ledger
from pipelines.evidence.records import Record, Records
from pipelines.evidence.verdict import night_of
from pipelines.home import Home

REPEATED = ("feature", "score")  # causes that must not be: the rest is data, market, limits and people


def entries(home: Home, *kinds: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(kind, session, payload) of every journal of this home: paper's, and a broker's beside it."""
    marks = ", ".join("?" * len(kinds))
    for path in sorted(home.journal.glob("*.sqlite")) if home.journal.exists() else ():
        with sqlite.reading(path) as book:
            for kind, session, payload in book.execute(
                    f"SELECT kind, session, payload FROM entries WHERE kind IN ({marks}) ORDER BY seq", kinds):
                yield kind, session, json.loads(payload)


def _on_rung(home: Home, told: Mapping[str, Any], key: str, rung: str) -> bool:
    """Whether this decision was made by that configuration, from a bundle of that rung."""
    manifest = home.bundles / Path(str(told["bundle"]["folder"])).name / "manifest.json"
    return told["strategy"]["key"] == key and manifest.exists() and publish.manifest_of(manifest.parent).rung == rung


def lived(home: Home, key: str, rung: str, after: str = "") -> Lived:
    """Sessions that this configuration lived on this rung to their close, later than a day if one is named."""
    decided = {session: told for kind, session, told in entries(home, "decision")
               if session > after and _on_rung(home, told, key, rung)}
    closed = {session: told for _, session, told in entries(home, "close") if session in decided}
    looked_at = {one["session"]: one for one in home.read_section("twin").get("sessions", [])}
    cash = CostModel.default().cash_rate_session
    sessions = sorted(closed)
    returns = [closed[day]["pnl"] / closed[day]["start_equity"] - cash for day in sessions]
    return Lived(
        tuple(sessions), np.array(returns, np.float64),
        np.array([_repeated(looked_at.get(day)) for day in sessions], np.float64),
        np.array([_slipped(looked_at.get(day), closed[day]["start_equity"]) for day in sessions], np.float64),
        sum(int(closed[day]["orders"]) for day in sessions), sum(int(closed[day]["refused"]) for day in sessions))


def _repeated(told: Mapping[str, Any] | None) -> float:
    if told is None:
        return np.nan
    return float(not told["unexplained"] and not any(told["parts"].get(cause) for cause in REPEATED))


def _slipped(told: Mapping[str, Any] | None, equity: float) -> float:
    """What fills and their costs took beyond the model, as a share of the account."""
    return np.nan if told is None else -(told["parts"]["fill price"] + told["parts"]["cost"]) / equity


def profits(home: Home, after: str) -> NDArray[np.float64]:
    """Of every trade from flat to flat that a journal tells and that ended after a moment, in the order of their ends,
    in multiples of the risk."""
    told = sorted((one["closed_at"], one["R"]) for _, _, one in entries(home, "trade")
                  if one["R"] is not None and one["closed_at"] > after)
    return np.array([profit for _, profit in told], np.float64)


def registered(ledger: Ledger, target: str, key: str) -> str:
    """When this configuration was first written down as a trial; its own past begins there."""
    found = [str(row["registered_at"]) for row in ledger.rows("outer")
             if row["config_key"] == key and row["target"] == target]
    if not found:
        raise ValueError(f"{key[:12]} holds the slot and stands in no row of the ledger: nobody knows since when")
    return min(found)


def fresh(home: Home, champion: Record, night: JudgedNight, target: str) -> Fresh:
    """Judged returns of the sessions that opened after the configuration was first written down."""
    key = str(champion.content["key"])
    since = registered(Ledger(home.ledger), target, key)
    brought = let_through(Records(home)) or champion
    figures = brought.content["verdict"]["figures"]
    then = night_of(brought)
    begun = dt.datetime.fromisoformat(since)
    days = night.sessions.astype(object)
    later = np.array([calendars.open_at(day) > begun if day >= begun.date() else False for day in days], bool)
    expected = max(LEAST_HEALTHY_SHARPE, float(figures["sharpe_active"]) - float(figures.get("luck_sharpe") or 0.0))
    evidence = then.series["active"][:, then.column(key)]
    return Fresh(np.ascontiguousarray(night.series["active"][later, night.column(key)]),
                 float(evidence.std(ddof=1)), expected, since)
