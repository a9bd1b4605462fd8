"""What to ask of each company that the lists name: its changes of ticker, and what it does."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote
from zlib import crc32

from pipelines.home import Home
from pipelines.lake import raw
from pipelines.lake.more_asks import MakeAsk
from pipelines.vendors.http import Ask
from pipelines.vendors.parsing import as_day

ASKED_AGAIN_DAYS = 61  # a prime, so that every company's turn comes on a day of work
_REST = "polygon/rest"


@dataclass
class Companies:
    """Who stands on tonight's lists, by FIGI: tickers, and the last day of those that are gone."""

    symbols: tuple[str, ...]  # of whom to ask; none: of all
    tickers: dict[str, dict[str, str | None]] = field(default_factory=dict)

    def collect(self, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            figi, ticker, gone = row.get("composite_figi"), row.get("ticker"), row.get("delisted_utc")
            if isinstance(figi, str) and figi.isalnum() and isinstance(ticker, str):
                last = as_day(gone) if isinstance(gone, str) and row.get("active") is False else None
                self.tickers.setdefault(figi, {})[ticker] = None if last is None else str(last)

    def _wanted(self) -> Iterator[tuple[str, dict[str, str | None]]]:
        for figi, tickers in sorted(self.tickers.items()):
            if not self.symbols or tickers.keys() & set(self.symbols):
                yield figi, tickers

    def event_asks(self, home: Home, held: raw.Held, ask: MakeAsk) -> Iterator[Ask]:
        """A company's history is asked again only when the list shows a ticker that the held history lacks."""
        for figi, tickers in self._wanted():
            path = f"{_REST}/vX/reference/tickers/{figi}/events.json"
            had = held.newest.get(path)
            text = raw.read_body(home, had["sha256"]).decode("utf-8", "replace") if had else ""
            if not held.sound(path) or not all(f'"{ticker}"' in text for ticker in tickers):
                yield ask("polygon", path, f"/vX/reference/tickers/{quote(figi)}/events?types=ticker_change")

    def overview_asks(self, held: raw.Held, ask: MakeAsk, today: dt.date) -> Iterator[Ask]:
        """Of each once, and in turn again: under its living ticker, else as of the last day of the one that died last,
        for by now that ticker may be another's."""
        for figi, tickers in self._wanted():
            path = f"{_REST}/v3/reference/tickers/{figi}/overview.json"
            if held.sound(path) and (today.toordinal() - crc32(figi.encode())) % ASKED_AGAIN_DAYS:
                continue
            last, ticker = max((gone or "9999", ticker) for ticker, gone in tickers.items())
            of_day = "" if last == "9999" else f"?date={last}"
            yield ask("polygon", path, f"/v3/reference/tickers/{quote(ticker, safe='')}{of_day}")
