"""One decision as a person asks of it: every name with its rank, what became of it, and why."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from live.chain import Entry
from live.seen import Seen

Document = dict[str, Any]


def decision(book: Seen, entry: Entry) -> Document:
    made, day = entry.payload, dt.date.fromisoformat(entry.session or "")
    asked = {e.payload["instrument_id"]: e for kind in ("refused", "intent") for e in book.entries(kind, day)
             if e.payload["decision_id"] == made["decision_id"]}
    fills = _by_order(book, "fill", day)
    cancels = _by_order(book, "cancel", day)
    rank = {index: place + 1 for place, index in enumerate(sorted(
        (i for i, score in enumerate(made["score"]) if isinstance(score, float)), key=lambda i: -made["score"][i]))}
    names = []
    for index, name in enumerate(made["names"]):
        ask = asked.get(name)
        order = ask.payload["order_id"] if ask else None
        names.append({
            "instrument_id": name, "symbol": made["symbols"][index], "order_id": order, "rank": rank.get(index),
            **{key: made[key][index] for key in ("gbm", "gnn", "score", "weights", "wanted", "reference")},
            "held": made["held"].get(name, 0),
            "reason": _why(made, index, rank), "outcome": _outcome(ask, fills.get(order), cancels.get(order)),
        })
    names.sort(key=lambda row: (row["rank"] is None, row["rank"] or 0, row["symbol"]))
    return {"decision_id": made["decision_id"], "session": entry.session, "decided_at": entry.at,
            "state": made["state"], "equity": made["equity"], "regime": made["regime"], "bundle": made["bundle"],
            "features_as_judged": made["features_as_judged"], "names": names}


def _by_order(book: Seen, kind: str, day: dt.date) -> dict[str | None, list[Document]]:
    found: dict[str | None, list[Document]] = {}
    for entry in book.entries(kind, day):
        found.setdefault(entry.payload["order_id"], []).append(entry.payload)
    return found


def _why(made: Document, index: int, rank: Mapping[int, int]) -> str:
    if index not in rank:
        return "no score: something it needs is missing, so the position is left alone"

    def signed(value: Any) -> str:
        return f"{value:+.3g}" if isinstance(value, float) else "none"

    weight = made["weights"][index]
    side = "long" if weight and weight > 0 else "short" if weight else "no position"
    return (f"score {signed(made['score'][index])}, rank {rank[index]} of {len(rank)} "
            f"(trees {signed(made['gbm'][index])}, graph {signed(made['gnn'][index])}): "
            + (f"{side} {abs(weight):.1%} of capital" if weight else side))


def _outcome(ask: Entry | None, fills: list[Document] | None, cancels: list[Document] | None) -> str:
    if ask is None:
        return "nothing to change"
    if ask.kind == "refused":
        failed = next((check for check in ask.payload["checks"] if not check["passed"]), None)
        if failed is None:
            return "refused"
        return f"refused by {failed['limit']}: {failed['value']} against {failed['threshold']}"
    parts = []
    for fill in fills or []:
        verb = "bought" if fill["quantity"] > 0 else "sold"
        parts.append(f"{verb} {abs(fill['quantity']):,} at {fill['price']:,.2f}, cost {fill['cost']:,.2f}")
    parts += [f"cancelled: {cancel['reason']}" for cancel in cancels or []]
    return "; ".join(parts) or "sent, not filled yet"
