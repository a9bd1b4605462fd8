"""`SignalOutcome`: what a signal saw, did and came to, one record each, read from the journal."""

import datetime as dt
import heapq
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, NamedTuple, Protocol

import numpy as np

from live import canonical
from live.journal import Entry

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
    at: str
    told: Mapping[str, Any]
    seen: Mapping[str, Any]  # the newest rows of features then


def signal_outcomes(journal: Rows) -> Iterator[SignalOutcome]:
    """In the order in which they ended. Of a daily decision each position, from its fill to the next session's; and
    every trade from flat to flat that those do not tell: a rule's, and what a stop, a target or a person ended."""
    seen: Mapping[str, Any] = {}
    decided: dict[str, Decided] = {}
    guards: dict[str, Mapping[str, Any]] = {}  # by name, the order that first guarded the trade under way
    for entry in heapq.merge(*(journal.entries(kind) for kind in _KINDS), key=attrgetter("seq")):
        told = entry.payload
        match entry.kind:
            case "features":
                seen = told
            case "decision":
                decided[told["decision_id"]] = Decided(entry.at, told, seen)
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


def _outcome(trade: Mapping[str, Any], guard: Mapping[str, Any], made: Decided | None) -> SignalOutcome:
    name, side = trade["instrument_id"], trade["side"]
    names, values = _features(name, made.seen) if made else ((), [])
    by_name = dict(zip(names, values, strict=True))
    context = {field: next((by_name[one] for one in told if one in by_name), NAN) for field, told in _SEEN.items()}
    score, confidence = _scored(name, made.told) if made else (NAN, NAN)
    entered, left = _number(trade["entry"]), _number(trade["exit"])
    momentum = by_name.get("macd_histogram", NAN)
    return SignalOutcome(
        signal_id=f"{trade['decision_id'] or trade['opened_at']}:{name}",
        timestamp=dt.datetime.fromisoformat(trade["opened_at"]), instrument=name,
        signal_type="entry_long" if side > 0 else "entry_short", entry_price=entered,
        stop_loss=_number(guard.get("stop_price")), take_profit=_number(guard.get("target_price")),
        regime=_likeliest(made.told["regime"]) if made else "", **context,
        macd_signal="" if math.isnan(momentum) else "bullish" if momentum > 0 else "bearish",
        outcome=trade["reason"], exit_price=left, r_multiple=_number(trade["R"]), mae=_number(trade["mae_R"]),
        mfe=_number(trade["mfe_R"]), holding_time=round(trade["holding_min"]), feature_vector=values,
        prediction_confidence=confidence, actual_vs_predicted=math.copysign(1.0, score) * (left / entered - 1.0)
        if math.isfinite(score) else NAN, feature_names=names,
    )  # fmt: skip


def _features(name: str, seen: Mapping[str, Any]) -> tuple[tuple[str, ...], list[float]]:
    """What the newest session's row said of this name."""
    if name not in seen.get("names", ()):
        return (), []
    row = canonical.unpacked(seen["rows"][-1]["values"][seen["names"].index(name)])
    return tuple(seen["features"]), row.tolist()


def _scored(name: str, decision: Mapping[str, Any]) -> tuple[float, float]:
    if name not in decision["names"]:
        return NAN, NAN
    at, scores = decision["names"].index(name), canonical.unpacked(decision["score"])
    others = np.delete(scores, at)
    others = others[np.isfinite(others)]
    score = float(scores[at])
    if math.isnan(score) or not len(others):
        return score, NAN
    return score, float((np.abs(others) < abs(score)).mean())


def _likeliest(regime: Mapping[str, Any]) -> str:
    known = {state: share for state, share in regime.items() if share is not None}
    return max(known, key=lambda state: float(known[state]), default="")


def _number(value: Any) -> float:
    return NAN if value is None else float(value)
