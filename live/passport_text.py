"""A passport as a person reads it: who decided, on which numbers, within which limits, and what came of it."""

from collections.abc import Mapping
from typing import Any


def _number(value: Any, digits: int = 4) -> str:
    if value is None:
        return "missing"
    return value if isinstance(value, str) else f"{value:,.{digits}f}"


def render(document: Mapping[str, Any]) -> str:
    """One screen for an order; a line a name for a whole decision."""
    bundle, strategy = document["bundle"], document["strategy"]
    lines = [
        f"{document['kind'].capitalize()} {document['id']} for session {document['session']}",
        f"  decided {document['decided_at']}, state {document['risk_state']}, equity {document['equity']:,.2f} USD",
        f"  journal row {document['journal']['decision_row']} of {document['journal']['rows']}, chain intact",
        f"  bundle {bundle['seq']} {bundle['digest'][:16]}, strategy {strategy['name']} ({strategy['key'][:12]})",
    ]
    for mart, digest in sorted(document.get("manifest", {}).get("data_snapshot", {}).items()):
        lines.append(f"    learnt on {mart} {digest[:16]}")
    lines.append("  regime " + ", ".join(f"{name} {_number(share, 3)}" for name, share in document["regime"].items()))
    for name in document["names"]:
        lines += _name(name, whole=document["kind"] == "order")
    for order in document["orders"]:
        lines += _order(order)
    lines += _outcome(document["outcome"])
    equal = document["recomputed_equal"]
    lines.append("Recomputed from the bundle's bytes and the journaled features: "
                 + ("EQUAL, bit for bit" if equal else f"NOT EQUAL ({', '.join(document['differences'])})"))
    if document["features_as_judged"] is not None:
        lines.append("Features as research had them: " + ("equal, bit for bit" if document["features_as_judged"] else
                                                          "NOT EQUAL"))
    return "\n".join(lines)


def _name(name: Mapping[str, Any], *, whole: bool) -> list[str]:
    lines = [f"  {name['symbol']} ({name['instrument_id']}): gbm {_number(name['gbm'])}, gnn {_number(name['gnn'])}, "
             f"score {_number(name['score'])} -> weight {_number(name['weights'])}, "
             f"{_number(name['wanted'], 0)} shares at {_number(name['reference'], 2)}"]
    if whole:
        lines += [f"    {one['feature']} v{one['version']} = {one['value']}" for one in name["features"]]
    return lines


def _order(order: Mapping[str, Any]) -> list[str]:
    asked = f"asked {order['asked']:+,}, allowed {order['quantity']:+,}"
    refused = f", refused by {order['refused_by']}" if "refused_by" in order else ""
    lines = [f"  Order {order['order_id']} {order['symbol']}: {asked}{refused}"]
    lines += [f"    limit {check['limit']}: {_number(check['value'])} against {_number(check['threshold'])} "
              f"{'ok' if check['passed'] else 'BREACH'}" for check in order["checks"]]
    for event in order["history"]:
        lines.append(f"    {event['at']} {event['kind']}" + _event(event))
    return lines


def _event(event: Mapping[str, Any]) -> str:
    if event["kind"] == "fill":
        parts = ", ".join(f"{name} {_number(value, 2)}" for name, value in sorted(event["costs"].items()))
        return f" {event['quantity']:+,} at {event['price']:,.2f}, cost {event['cost']:,.2f} ({parts})"
    return f" {event['state']}" if event["kind"] == "ack" else f": {event['reason']}"


def _outcome(outcome: Mapping[str, Any] | None) -> list[str]:
    if outcome is None:
        return ["  Outcome: not known before the next session opens"]
    if not outcome["items"]:
        return [f"  Outcome at {outcome['held_until']}: no position was held"]
    return [f"  Outcome {name}: {item['shares']:+,} from {item['entry']:,.2f} to {item['exit']:,.2f} "
            f"({item['reason']}, {outcome['held_until']}): {item['pnl']:+,.2f} USD, R {_number(item['R'], 2)}, "
            f"MFE {_number(item['mfe_R'], 2)}, MAE {_number(item['mae_R'], 2)}" + _held(item)
            for name, item in outcome["items"].items()]


def _held(item: Mapping[str, Any]) -> str:
    if item.get("holding_minutes") is None:
        return ""
    return f", held {item['holding_minutes']:,.0f} minutes, slippage {item['slippage_usd']:+,.2f} USD"
