"""Polygon's (Massive's) minute aggregates by web socket, and by REST what a stream never repeats."""

import datetime as dt
import json
import math
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar
from urllib.parse import quote, urlsplit

from live.adapters.feed_stream import MINUTE_US, FeedRefused
from live.ports import Action, Bar
from live.secret import Secret

SOCKET = "wss://socket.massive.com/stocks"
REST = "https://api.massive.com"
PATIENCE_S = 10.0
MOST_PAGES = 1_000  # of what one session or one symbol can have
ONE_SUBSCRIPTION = 400  # symbols in one message


Made = TypeVar("Made")


@dataclass(frozen=True)
class PolygonSocket(Generic[Made]):
    """What every channel shares. `symbols` says which instrument each ticker is; what others do is not ours."""

    key: Secret
    symbols: Mapping[str, str]
    url: str = SOCKET

    channels: ClassVar[tuple[str, ...]] = ()

    def run(self, up: Callable[[], None], bar: Callable[[Made], None], ended: threading.Event) -> None:
        from websockets.exceptions import WebSocketException
        from websockets.sync.client import connect

        try:
            with connect(self.url, open_timeout=PATIENCE_S, close_timeout=1, max_size=8 << 20, proxy=None) as line:
                self._expect(json.loads(line.recv(PATIENCE_S)), "connected")
                line.send(json.dumps({"action": "auth", "params": self.key.reveal()}))
                self._expect(json.loads(line.recv(PATIENCE_S)), "auth_success")
                wanted = [f"{channel}.{symbol}" for symbol in sorted(self.symbols) for channel in self.channels]
                for start in range(0, len(wanted), ONE_SUBSCRIPTION):
                    line.send(json.dumps({"action": "subscribe",
                                          "params": ",".join(wanted[start : start + ONE_SUBSCRIPTION])}))
                self._hear(json.loads(line.recv(PATIENCE_S)), bar)
                up()
                while not ended.is_set():
                    try:
                        self._hear(json.loads(line.recv(0.5)), bar)
                    except TimeoutError:
                        continue
        except WebSocketException as problem:
            raise ConnectionError(type(problem).__name__) from None
        except ValueError as problem:
            if isinstance(problem, FeedRefused):
                raise
            raise ConnectionError("a frame that is no JSON") from None

    def _expect(self, frame: Any, status: str) -> None:
        """The handshake's next word; anything else is a refusal, in the vendor's own words."""
        for event in _events(frame):
            if event.get("ev") == "status":
                told = event.get("status")
                if told == status:
                    return
                if told in ("auth_failed", "auth_timeout", "max_connections"):
                    raise FeedRefused(f"Polygon: {told}: {event.get('message', '')}"[:200])
        raise ConnectionError(f"expected {status}")

    def _hear(self, frame: Any, bar: Callable[[Made], None]) -> None:
        for event in _events(frame):
            if event.get("ev") in self.channels and (made := self.made(event)) is not None:
                bar(made)
            elif event.get("ev") == "status" and event.get("status") in ("max_connections", "not_authorized", "error"):
                told = f"{event.get('status')}: {event.get('message', '')}"[:200]
                if event["status"] == "error":
                    raise ConnectionError(told)
                raise FeedRefused(f"Polygon: {told}; another program with this key takes the line away"
                                  if event["status"] == "max_connections" else f"Polygon: {told}")

    def made(self, event: Mapping[str, Any]) -> Made | None:
        """What an event of our channels says; None where it is not ours or a number of it is none."""
        raise NotImplementedError

    def numbers(self, event: Mapping[str, Any], *names: str) -> tuple[str, list[float]] | None:
        """Whose it is, and these numbers of it."""
        instrument, values = self.symbols.get(event.get("sym", "")), [event.get(name) for name in names]
        if instrument is None or not all(isinstance(one, (int, float)) and math.isfinite(one) for one in values):
            return None
        return instrument, [float(one) for one in values if one is not None]


class PolygonConnection(PolygonSocket[Bar]):
    """Minute bars; the engine judges whether they are possible."""

    channels: ClassVar[tuple[str, ...]] = ("AM",)

    def made(self, event: Mapping[str, Any]) -> Bar | None:
        told = self.numbers(event, "s", "o", "h", "l", "c", "v")
        if told is None:
            return None
        instrument, (start_ms, *prices) = told
        return Bar(instrument, int(start_ms) * 1000, *prices)


def _events(frame: Any) -> Iterable[Mapping[str, Any]]:
    """A frame is an array that mixes kinds of events."""
    return [event for event in frame if isinstance(event, dict)] if isinstance(frame, list) else []


@dataclass(frozen=True)
class PolygonBackfill:
    """REST with the same key. A `next_url` is followed on our own host only: no answer can lead the key away."""

    key: Secret
    symbols: Mapping[str, str]
    base: str = REST

    def bars(self, since_us: int, until_us: int) -> Sequence[Bar]:
        found = []
        for symbol, instrument in sorted(self.symbols.items()):
            path = (f"/v2/aggs/ticker/{quote(symbol, safe='')}/range/1/minute/{since_us // 1000}/"
                    f"{max(since_us, until_us - 1) // 1000}?adjusted=false&sort=asc&limit=50000")
            for row in self._rows(path):
                start_us = int(row["t"]) * 1000
                if since_us <= start_us <= until_us - MINUTE_US:
                    found.append(Bar(instrument, start_us, *(float(row[name]) for name in ("o", "h", "l", "c", "v"))))
        return sorted(found, key=lambda bar: (bar.start_us, bar.instrument_id))

    def actions(self, session: dt.date) -> Sequence[Action]:
        found = []
        for row in self._rows(f"/stocks/v1/splits?execution_date={session}&limit=1000"):
            if row["ticker"] in self.symbols:
                amount = float(row["split_to"]) / float(row["split_from"])
                found.append(Action(self.symbols[row["ticker"]], session, "split", amount))
        for row in self._rows(f"/stocks/v1/dividends?ex_dividend_date={session}&limit=1000"):
            if row["ticker"] in self.symbols and float(row["cash_amount"]) > 0:
                found.append(Action(self.symbols[row["ticker"]], session, "dividend", float(row["cash_amount"])))
        return sorted(found)

    def _rows(self, path: str | None) -> list[dict[str, Any]]:
        import httpx

        rows: list[dict[str, Any]] = []
        had: set[str] = set()
        headers = {"Authorization": f"Bearer {self.key.reveal()}"}
        with httpx.Client(base_url=self.base, headers=headers, timeout=PATIENCE_S, follow_redirects=False) as client:
            while path and path not in had:  # a page that names one that was had already is the last
                had.add(path)
                if len(had) > MOST_PAGES:
                    raise ConnectionError(f"Polygon's REST names another page after {MOST_PAGES}")
                try:
                    answer = client.get(path)
                    body = answer.json() if answer.status_code == 200 else {}
                except (httpx.HTTPError, ValueError) as problem:
                    raise ConnectionError(f"Polygon's REST: {type(problem).__name__}") from None
                if answer.status_code != 200:
                    raise ConnectionError(f"Polygon's REST answered {answer.status_code}")
                rows += body.get("results") or []
                following = urlsplit(body.get("next_url") or "")
                path = f"{following.path}?{following.query}" if following.path else None
        return rows
