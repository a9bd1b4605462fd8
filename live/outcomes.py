"""`SignalOutcome`: what a signal saw, did and came to, one record each, read from the journal."""

import datetime as dt
import heapq
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from live import canonical
from live.journal import Entry

Floats = NDArray[np.float64]
NAN = math.nan
# Which feature of a decision says it; the first that the strategy looks at.
_SEEN = {
    "cboe_0dte_share": ("share_0dte",), "put_call_ratio": ("put_call_ratio",), "vah_distance": ("vah_gap",),
    "poc_distance": ("poc_gap", "es_poc_distance"), "val_distance": ("val_gap",), "atr_normalized": ("atr_14",),
    "rsi": ("rsi_14", "rsi"), "confluence_score": ("mtf_confluence",),
}
_KINDS = ("features", "decision", "intent", "trade", "outcome")


class Rows(Protocol):
    def entries(self, kind: str | None = None, session: dt.date | None = None, *,
                since: int = 0) -> Iterator[Entry]: ...


@dataclass(frozen=True)
class SignalOutcome:
    """Numbers that nobody told are NaN, words empty: a strategy without a stop has none here.

    `r_multiple`, `mae` (0 or below) and `mfe` are in units of the risk: the first stop's distance, or one ATR(14).
    `outcome` is TP, SL, TIMEOUT, MANUAL, or SIGNAL where the strategy itself changed its mind; `holding_time` is in
    minutes, of a daily decision from when it was made. `prediction_confidence` is the share of that decision's other
    scores that were smaller in size; `actual_vs_predicted` the price's return, positive where it went the way that the
    score pointed."""

    signal_id: str
    timestamp: dt.datetime
    instrument: str
    signal_type: str
    entry_price: float
    stop_loss: float
    take_profit: float
    regime: str
    cboe_0dte_share: float
    put_call_ratio: float
    vah_distance: float
    poc_distance: float
    val_distance: float
    atr_normalized: float
    rsi: float
    macd_signal: str
    confluence_score: float
    outcome: str
    exit_price: float
    r_multiple: float
    mae: float
    mfe: float
    holding_time: int
    feature_vector: list[float]
    prediction_confidence: float
    actual_vs_predicted: float
    feature_names: tuple[str, ...] = ()


class Decided(NamedTuple):
    """What is remembered of a decision: of a year of hundreds of names, tens of megabytes."""

    at: str
    regime: str
    names: tuple[str, ...]
    scores: Floats
    features: tuple[str, ...]
    rows: Floats  # (names, features) of the newest session then


def signal_outcomes(journal: Rows) -> Iterator[SignalOutcome]:
    """In the order in which they ended. Of a daily decision each position, from its fill to the next session's; and
    every trade from flat to flat that those do not tell: a rule's, and what a stop, a target or a person ended."""
    seen: Mapping[str, Any] | None = None  # the newest rows of features
    decided: dict[str, Decided] = {}
    guards: dict[str, Mapping[str, Any]] = {}  # by name, the order that first guarded the trade under way
    for entry in heapq.merge(*(journal.entries(kind) for kind in _KINDS), key=attrgetter("seq")):
        told = entry.payload
        match entry.kind:
            case "features":
                seen = told
            case "decision":
                decided[told["decision_id"]] = _decided(entry, seen)
            case "intent":
                if told.get("kind") == "guard":
                    guards.setdefault(told["instrument_id"], told)
            case "trade":
                made, guard = decided.get(told["decision_id"] or ""), guards.pop(told["instrument_id"], {})
                if made is None or told["reason"] != "SIGNAL":
                    yield _outcome(told, guard, made)
            case "outcome":
                made = decided[told["decision_id"]]  # written before it, in the same journal
                lasted = dt.datetime.fromisoformat(told["held_until"]) - dt.datetime.fromisoformat(made.at)
                for name, item in told["items"].items():
                    yield _outcome({
                        **item, "instrument_id": name, "decision_id": told["decision_id"], "opened_at": made.at,
                        "side": math.copysign(1.0, item["shares"]), "holding_min": lasted / dt.timedelta(minutes=1),
                    }, {}, made)  # fmt: skip


def _decided(entry: Entry, seen: Mapping[str, Any] | None) -> Decided:
    told = entry.payload
    same = seen is not None and seen["names"] == told["names"]
    rows = canonical.unpacked(seen["rows"][-1]["values"]) if seen is not None and same else np.zeros((0, 0))
    known = {state: share for state, share in told["regime"].items() if share is not None}
    return Decided(
        entry.at, max(known, key=lambda state: float(known[state]), default=""), tuple(told["names"]),
        canonical.unpacked(told["score"]), tuple(seen["features"]) if seen is not None and same else (), rows)


def _outcome(trade: Mapping[str, Any], guard: Mapping[str, Any], made: Decided | None) -> SignalOutcome:
    name, side = trade["instrument_id"], trade["side"]
    score, confidence, values = NAN, NAN, list[float]()
    names: tuple[str, ...] = ()
    if made is not None and name in made.names:
        at = made.names.index(name)
        score, confidence = float(made.scores[at]), _confidence(made.scores, at)
        names, values = made.features, made.rows[at].tolist() if len(made.rows) else []
    by_name = dict(zip(names, values, strict=True))
    context = {field: next((by_name[one] for one in told if one in by_name), NAN) for field, told in _SEEN.items()}
    entered, left = _number(trade["entry"]), _number(trade["exit"])
    momentum = by_name.get("macd_histogram", NAN)
    return SignalOutcome(
        signal_id=f"{trade['decision_id'] or trade['opened_at']}:{name}",
        timestamp=dt.datetime.fromisoformat(trade["opened_at"]), instrument=name,
        signal_type="entry_long" if side > 0 else "entry_short", entry_price=entered,
        stop_loss=_number(guard.get("stop_price")), take_profit=_number(guard.get("target_price")),
        regime=made.regime if made else "", **context,
        macd_signal="" if math.isnan(momentum) else "bullish" if momentum > 0 else "bearish",
        outcome=trade["reason"], exit_price=left, r_multiple=_number(trade["R"]), mae=_number(trade["mae_R"]),
        mfe=_number(trade["mfe_R"]), holding_time=round(trade["holding_min"]), feature_vector=values,
        prediction_confidence=confidence, actual_vs_predicted=math.copysign(1.0, score) * (left / entered - 1.0)
        if math.isfinite(score) else NAN, feature_names=names,
    )  # fmt: skip


def _confidence(scores: Floats, at: int) -> float:
    others = np.delete(scores, at)
    others = others[np.isfinite(others)]
    known = len(others) and math.isfinite(scores[at])
    return float((np.abs(others) < abs(scores[at])).mean()) if known else NAN


def _number(value: Any) -> float:
    return NAN if value is None else float(value)
