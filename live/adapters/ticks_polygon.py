"""Polygon's (Massive's) trades and quotes by web socket, as ticks."""

from collections.abc import Mapping
from typing import Any, ClassVar

from live.adapters.feed_polygon import PolygonSocket
from live.ticks import Quote, Tick

# Sale conditions by which the tape's plans let a trade count in volume and move no price (average prices, odd lots,
# out of hours, contingent and such), and those of a market centre's own open or close, which count nowhere.
VOLUME_ONLY = frozenset({2, 7, 12, 13, 20, 21, 29, 37, 52, 53})
NOWHERE = frozenset({15, 16, 38})


class PolygonTicks(PolygonSocket[Tick | Quote]):
    channels: ClassVar[tuple[str, ...]] = ("T", "Q")

    def made(self, event: Mapping[str, Any]) -> Tick | Quote | None:
        names = ("t", "p", "s") if event.get("ev") == "T" else ("t", "bp", "ap")
        told = self.numbers(event, *names)
        if told is None:
            return None
        instrument, (at_ms, one, other) = told
        if event["ev"] == "Q":
            return Quote(instrument, int(at_ms) * 1000, one, other)
        listed = event.get("c")
        said = {code for code in listed if isinstance(code, int)} if isinstance(listed, list) else set()
        if not (one > 0.0 and other > 0.0) or said & NOWHERE:
            return None
        return Tick(instrument, int(at_ms) * 1000, one, other, not said & VOLUME_ONLY)
