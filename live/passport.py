"""Everything behind one order or decision, read from the journal, and computed again from the bundle's own bytes."""

import datetime as dt
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from live import canonical
from live.journal import Entry, Journal
from live.tail import brought_rows
from models.bundle import Bundle, BundleRefused, load
from models.features.panel import FeaturePanel
from models.strategy import decide

COMPARED = ("gbm", "gnn", "score", "weights")


class NoSuchId(ValueError):
    """No decision or order of this id is in the journal."""


def passport(journal: Path, id: str, bundles_dir: Path, verify_keys: Sequence[bytes]) -> dict[str, Any]:
    """One document for a decision (d-…) or an order (o-…). `recomputed_equal` is the verdict of the recomputation."""
    book = Journal(journal, read_only=True)
    try:
        rows = book.verify()
        order = _of_order(book, id)
        if order and order["decision_id"] is None:
            raise NoSuchId(f"order {id} belongs to no decision: the kill switch sent it to flatten the account")
        decision_id = order["decision_id"] if order else id
        entry = next((e for e in book.entries("decision") if e.payload["decision_id"] == decision_id), None)
        if entry is None:
            raise NoSuchId(f"no decision or order {id} in {journal}; `nightdesk status` lists the newest ones")
        made = entry.payload
        document: dict[str, Any] = {
            "id": id, "kind": "order" if order else "decision", "session": entry.session, "decided_at": entry.at,
            "decision_id": decision_id, "journal": {"rows": rows, "decision_row": entry.seq, "hash": entry.hash},
            "bundle": made["bundle"], "strategy": made["strategy"], "regime": made["regime"],
            "features_as_judged": made["features_as_judged"], "risk_state": made["state"], "equity": made["equity"],
        }
        values = feature_rows(book, entry)
        document |= _recomputed(entry, values, bundles_dir, verify_keys)
        wanted = [order["instrument_id"]] if order else made["names"]
        document["names"] = [_of_name(made, values, name) for name in wanted]
        document["orders"] = [order] if order else [
            _of_order(book, e.payload["order_id"]) for kind in ("intent", "refused")
            for e in book.entries(kind, dt.date.fromisoformat(entry.session or ""))]
        document["outcome"] = _outcome(book, entry, wanted)
        return document
    finally:
        book.close()


def _of_order(book: Journal, order_id: str) -> dict[str, Any] | None:
    """Intent or refusal of an order with its limits, and all that happened to it since."""
    found: dict[str, Any] | None = None
    for kind in ("intent", "refused"):
        found = found or next((e.payload for e in book.entries(kind) if e.payload["order_id"] == order_id), None)
    if found is None:
        return None
    later = [{"kind": kind, "at": e.at, **e.payload} for kind in ("ack", "fill", "cancel")
             for e in book.entries(kind) if e.payload["order_id"] == order_id]
    return {**found, "history": later}


def feature_rows(book: Journal, decision: Entry) -> dict[str, Any]:
    """The rows journaled under the decision's bundle up to it, and their names."""
    entries = [e for e in book.entries("features")
               if e.seq < decision.seq and e.payload["bundle"] == decision.payload["bundle"]["digest"]]
    rows = [row for e in entries for row in e.payload["rows"]]
    return {"features": entries[-1].payload["features"], "names": entries[-1].payload["names"], "rows": rows}


def _recomputed(entry: Entry, values: dict[str, Any], bundles_dir: Path, keys: Sequence[bytes]) -> dict[str, Any]:
    """Scores and weights again, from the journaled rows and the bundle as it was verified at the time."""
    told = entry.payload["bundle"]
    path = bundles_dir / told["folder"] if (bundles_dir / told["folder"]).is_dir() else bundles_dir
    try:
        bundle = load(path, keys, told["seq"], dt.datetime.fromisoformat(entry.at), last_digest=told["digest"])
    except (BundleRefused, OSError) as problem:
        return {"recomputed_equal": False, "differences": [f"the bundle could not be loaded again: {problem}"]}
    again = decide(bundle.strategy, bundle.models, panel_of(bundle, values))
    differences = [name for name in COMPARED
                   if canonical.packed(getattr(again, name)) != entry.payload[name]]
    if {state: canonical.plain(share) for state, share in again.regime.items()} != entry.payload["regime"]:
        differences.append("regime")
    manifest = json.loads(bundle.manifest.to_bytes())
    del manifest["files"], manifest["features"]
    return {"recomputed_equal": not differences, "differences": differences, "manifest": manifest}


def panel_of(bundle: Bundle, values: dict[str, Any]) -> FeaturePanel:
    brought, rows = brought_rows(bundle), values["rows"]
    days = np.array([row["session"] for row in rows], "datetime64[D]")
    lent = None if brought.shortable is None else np.array([row["shortable"] for row in rows], dtype=np.bool_)
    return brought.then(days, np.stack([canonical.unpacked(row["values"]) for row in rows]),
                        np.array([row["tradable"] for row in rows], dtype=np.bool_), lent)


def _of_name(made: dict[str, Any], values: dict[str, Any], name: str) -> dict[str, Any]:
    """What the decision saw and wanted of one name."""
    index = made["names"].index(name)
    newest = values["rows"][-1]
    seen = [{"feature": feature, "version": version, "value": newest["values"][index][column]}
            for column, (feature, version) in enumerate(made["features"])]
    kept = ("gbm", "gnn", "score", "weights", "reference", "wanted", "adv20_usd", "vol20_daily", "atr14_usd")
    return {"instrument_id": name, "symbol": made["symbols"][index], "tradable": newest["tradable"][index],
            "features": seen, **{key: made[key][index] for key in kept}}


def _outcome(book: Journal, decision: Entry, names: Sequence[str]) -> dict[str, Any] | None:
    """What came of it, once the next session has opened; None until then. Of each name also how long it was held, and
    how far from the price it was decided at its fills of that session were: dollars lost to slippage."""
    made, day = decision.payload, dt.date.fromisoformat(decision.session or "")
    reference = dict(zip(made["names"], made["reference"], strict=True))
    fills: dict[str, list[Entry]] = {}
    for entry in book.entries("fill", day):
        fills.setdefault(entry.payload["instrument_id"], []).append(entry)
    for entry in book.entries("outcome", since=decision.seq):
        if entry.payload["decision_id"] == made["decision_id"]:
            until = dt.datetime.fromisoformat(entry.payload["held_until"])
            return {**entry.payload, "items": {
                name: {**item, **_held(fills.get(name, []), until, reference.get(name))}
                for name, item in entry.payload["items"].items() if name in names}}
    return None


def _held(fills: Sequence[Entry], until: dt.datetime, decided_at_usd: Any) -> dict[str, Any]:
    """Of a position that was only carried there is no fill, and both are null."""
    if not fills or not isinstance(decided_at_usd, (int, float)):
        return {"holding_minutes": None, "slippage_usd": None}
    begun = dt.datetime.fromisoformat(fills[0].at)
    slipped = [one.payload["quantity"] * (one.payload["price"] - decided_at_usd) for one in fills]
    return {"holding_minutes": (until - begun) / dt.timedelta(minutes=1), "slippage_usd": math.fsum(slipped)}
