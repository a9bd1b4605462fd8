"""What came of signals that were not traded: executed in thought at the opening print, closed at the next one.

Nothing is written for it: a decision, its refusals and each session's bars are in the journal, and these functions make
the same of them at any time.
"""

import datetime as dt
import math
from collections.abc import Iterator, Mapping
from statistics import StatisticsError, correlation
from typing import Any, Protocol

from live.canonical import plain
from live.journal import Entry
from models.market.costs import CostModel, capped_shares, trade_cost

Document = dict[str, Any]


class Rows(Protocol):
    def entries(self, kind: str | None = None, session: dt.date | None = None, *,
                since: int = 0) -> Iterator[Entry]: ...


def not_traded(book: Rows, since: int = 0) -> list[Document]:
    """Every change of position that a decision wanted and did not get, and what it would have made."""
    bars = {entry.session: entry.payload for entry in book.entries("bars", since=since)}
    found = []
    for entry in book.entries("decision", since=since):
        made, day = entry.payload, dt.date.fromisoformat(entry.session or "")
        done: dict[str, int] = {}
        for fill in book.entries("fill", day):
            name = fill.payload["instrument_id"]
            done[name] = done.get(name, 0) + fill.payload["quantity"]
        why = {one.payload["instrument_id"]: _why(one)
               for kind in ("cancel", "refused") for one in book.entries(kind, day)}
        after = _session_after(bars, entry.session)
        for index, name in enumerate(made["names"]):
            wanted, held = made["wanted"][index], made["held"].get(name, 0)
            left = int(wanted) - held - done.get(name, 0) if isinstance(wanted, (int, float)) else 0
            if left:
                found.append({
                    "decision_id": made["decision_id"], "session": entry.session, "instrument_id": name,
                    "symbol": made["symbols"][index], "kind": "not traded", "shares": left,
                    "why": why.get(name, "cut by a limit"), "score": made["score"][index],
                    **_outcome(left, name, made["atr14_usd"][index], bars.get(entry.session), after)})
    return found


def shadows(book: Rows, costs: CostModel) -> list[Document]:
    """Each challenger's session beside the champion's: profit net of modelled costs, from open to next open."""
    bars = {entry.session: entry.payload for entry in book.entries("bars")}
    champion = {entry.session: entry.payload for entry in book.entries("close")}
    decided = {entry.session: entry.payload for entry in book.entries("decision")}
    found = []
    for entry in book.entries("shadow"):
        made, today, after = entry.payload, bars.get(entry.session), _session_after(bars, entry.session)
        profit, cost, known = 0.0, 0.0, today is not None and after is not None
        for index, name in enumerate(made["names"]):
            wanted, bar = made["wanted"][index], (today or {"bars": {}})["bars"].get(name)
            adv, vol = made["adv20_usd"][index], made["vol20_daily"][index]
            if not wanted or bar is None or adv is None or vol is None:
                continue
            shares = int(capped_shares(costs, wanted, bar[0], adv))
            change = shares - made["held"].get(name, 0)
            cost += float(trade_cost(costs, change, bar[0], adv, vol))
            told = _outcome(shares, name, None, today, after)
            profit += told["pnl"] or 0.0
        lived = champion.get(entry.session)
        found.append({"session": entry.session, "bundle": made["bundle"], "strategy": made["strategy"],
                      "decision_id": made["decision_id"], "pnl": profit - cost if known else None, "costs": cost,
                      "champion_pnl": lived["pnl"] if lived else None,
                      "agreement": _agreement(made, decided.get(entry.session))})
    return found


def _agreement(ours: Document, theirs: Document | None) -> float | None:
    """Correlation of a challenger's weights with the champion's, over the names that both know."""
    if theirs is None:
        return None
    known = dict(zip(theirs["names"], theirs["weights"], strict=True))
    pairs = [(weight, known[name]) for name, weight in zip(ours["names"], ours["weights"], strict=True)
             if weight is not None and known.get(name) is not None]
    try:
        return correlation([one for one, _ in pairs], [other for _, other in pairs])
    except StatisticsError:  # too few, or all alike
        return None


def _why(entry: Entry) -> str:
    return f"refused by {entry.payload['refused_by']}" if entry.kind == "refused" else str(entry.payload["reason"])


def _session_after(bars: Mapping[str | None, Document], session: str | None) -> Document | None:
    later = [day for day in bars if day is not None and session is not None and day > session]
    return bars[min(later)] if later else None


def _outcome(shares: int, name: str, atr_usd: Any, today: Document | None, after: Document | None) -> Document:
    """From the session's open to the next one's, in its own shares; null where it is not over or had no bar."""
    bar, following = (one["bars"].get(name) if one else None for one in (today, after))
    if bar is None or following is None or after is None:
        return {"entry": bar[0] if bar else None, "exit": None, "pnl": None, "R": None, "mfe_R": None, "mae_R": None,
                "outcome": "OPEN" if bar else "NO BAR"}
    entered, left = bar[0], following[0]
    for acted, _, kind, amount in after["actions"]:
        if acted == name:
            left = left * amount if kind == "split" else left + amount
    side, risk = math.copysign(1.0, shares), atr_usd or math.nan
    high, low = max(bar[1], left), min(bar[2], left)
    best, worst = (high, low) if side > 0 else (low, high)
    return {"entry": entered, "exit": left, "pnl": shares * (left - entered),
            "R": plain(side * (left - entered) / risk), "mfe_R": plain(side * (best - entered) / risk),
            "mae_R": plain(side * (worst - entered) / risk), "outcome": "TIMEOUT"}
