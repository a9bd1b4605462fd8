"""The twin's second half: for each cause of a difference, the names, features, limits and hands behind it."""

import datetime as dt
import math
from collections.abc import Mapping, Sequence

import numpy as np

from live.clock import to_us
from live.twin_day import CAUSES, Floats, Live, Market, by_a_hand, filled, of_hand, stopped_by_hand
from models.features.panel import FeaturePanel

MOST_TOLD = 5


def named(live: Live, research: Market, lived: Market, read: FeaturePanel, targets: Sequence[Floats],
          late: Mapping[str, int]) -> dict[str, list[str]]:
    """What a person looks at first, for each cause that left a trace."""
    should, names = lived.panel, read.names
    told: dict[str, list[str]] = {cause: [] for cause in CAUSES}
    for name in names:
        ours, theirs = live.bars.get(name), (research.opens.get(name), research.closes.get(name))
        if ours is not None and name not in late and (ours[0], ours[3]) != theirs:
            told["data revised"].append(f"{name}: open, close {ours[0]:g}, {ours[3]:g} were {theirs[0]}, {theirs[1]}")
    for one in research.actions:
        if one not in live.actions:
            told["data revised"].append(f"{one.instrument_id}: a {one.kind} of {one.amount:g} unknown to live")
    told["data revised"] += _different(research.panel, should)
    told["feature"] = _different(should, read)
    told["score"] = [f"{name}: {ours:g} shares wanted, {theirs:g} by its own features"
                     for name, ours, theirs in zip(names, targets[3].tolist(), targets[2].tolist(), strict=True)
                     if ours != theirs and not (math.isnan(ours) and math.isnan(theirs))]
    told["timing"] = [f"{name}: filled {minutes} minute(s) after its first" for name, minutes in late.items()]
    for name, fills in filled(live, False).items():
        print_at = research.minute_open(name, to_us(dt.datetime.fromisoformat(fills[0].at))) if name in late \
            else lived.opens.get(name)
        if print_at is not None and fills[0].payload["price"] != print_at:
            told["fill price"].append(f"{name}: {fills[0].payload['price']:g} for a print of {print_at:g}")
    for order_id, order in live.orders.items():
        if stopped_by_hand(live, order_id) or of_hand(live, order_id):
            continue
        if order["quantity"] != order["asked"]:
            cut = next((check["limit"] for check in order["checks"] if not check["passed"]), "its cuts")
            told["limit"].append(f"{order['symbol']}: asked {order['asked']}, allowed {order['quantity']} by {cut}")
        elif order_id in live.cancels:
            told["limit"].append(f"{order['symbol']}: {live.cancels[order_id]}")
    told["manual"] = [entry.payload["reason"] for entry in live.states if by_a_hand(entry.payload["reason"])]
    if live.hand_at_start:
        told["manual"].insert(0, "stopped by hand before the session")
    return {cause: lines[:MOST_TOLD] + ([f"and {len(lines) - MOST_TOLD} more"] if len(lines) > MOST_TOLD else [])
            for cause, lines in told.items() if lines}


def _different(one: FeaturePanel, other: FeaturePanel) -> list[str]:
    """Which features of the newest row differ, and for whom."""
    if one.features != other.features or one.names != other.names:
        return ["the features or names of the row are others"]
    ours, theirs = one.values[-1], other.values[-1]
    rows, columns = np.nonzero(~((ours == theirs) | (np.isnan(ours) & np.isnan(theirs))))
    return [f"{one.features[c]} of {one.names[r]}: {theirs[r, c]:g}, not {ours[r, c]:g}"
            for r, c in zip(rows, columns, strict=True)]
