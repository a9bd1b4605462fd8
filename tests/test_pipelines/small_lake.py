"""Facts written by hand, in the lake's own layout: batches of typed rows with two clocks, without any vendor."""

import datetime as dt
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import calendars
from pipelines.home import Home
from pipelines.lake.schemas import DATASETS, QUARANTINE

NEW_YORK = ZoneInfo("America/New_York")
DELAY = dt.timedelta(minutes=15)
RECEIVED = dt.datetime(2025, 7, 1, 6, tzinfo=dt.UTC)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def midnight(date: dt.date) -> dt.datetime:
    return dt.datetime.combine(date, dt.time(), tzinfo=NEW_YORK).astimezone(dt.UTC)


class SmallLake:
    """Collects facts, then writes them as one batch. Every adder takes `known_at` for what was learned late."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {name: [] for name in DATASETS}
        self.refused: list[dict[str, Any]] = []

    def add(self, dataset: str, event_time: dt.datetime, available_at: dt.datetime, **values: Any) -> None:
        self.rows[dataset].append({
            **values, "event_time": event_time, "available_at": available_at, "ingested_at": RECEIVED,
            "body_sha256": f"{len(self.rows[dataset]):064x}",
        })  # fmt: skip

    def company(self, figi: str, *tickers: tuple[str, str], gone: str | None = None, kind: str = "CS") -> None:
        """A company with its chain of (first day, ticker), dead after `gone`."""
        since = dt.datetime(2003, 9, 10, 4, tzinfo=dt.UTC)
        entry = {"composite_figi": figi, "cik": "", "ticker": tickers[-1][1], "name": f"{figi} Corp", "type": kind,
                 "primary_exchange": "XNYS", "currency": "USD"}  # fmt: skip
        self.add("tickers", since, since, **entry, active=True, delisted_utc=None)
        if gone:
            after = midnight(day(gone) + dt.timedelta(days=1))
            self.add("tickers", after, after, **entry, active=False, delisted_utc=day(gone))
        for first, ticker in tickers:
            at = midnight(day(first))
            self.add("ticker_events", at, at, composite_figi=figi, cik="", name="", event_date=day(first),
                     ticker=ticker)  # fmt: skip

    def bar(
        self, ticker: str, session: dt.date, close: float, *, volume: float = 1e6, known_at: dt.datetime | None = None,
        source: str = "grouped",
    ) -> None:  # fmt: skip
        closed = calendars.close_at(session)
        self.add("equity_bars", closed, known_at or closed + DELAY, ticker=ticker, session=session, open=close,
                 high=close, low=close, close=close, volume=volume, trades=1, source=source)  # fmt: skip

    def minute(self, ticker: str, session: dt.date, start: dt.datetime, close: float) -> None:
        end = start + dt.timedelta(minutes=1)
        self.add("equity_minutes", end, end + DELAY, ticker=ticker, session=session, bar_start=start, open=close,
                 high=close, low=close, close=close, volume=100.0, source="aggs")  # fmt: skip

    def split(
        self, ticker: str, ex_date: dt.date, new: float, old: float = 1.0, *, known_at: dt.datetime | None = None,
        vendor_id: str | None = None,
    ) -> None:  # fmt: skip
        self.add("splits", midnight(ex_date), max(midnight(ex_date), known_at or midnight(ex_date)),
                 vendor_id=vendor_id or f"S{ticker}{ex_date}", ticker=ticker, ex_date=ex_date, split_from=old,
                 split_to=new, kind="forward_split")  # fmt: skip

    def dividend(
        self, ticker: str, ex_date: dt.date, cash: float, *, known_at: dt.datetime | None = None,
        vendor_id: str | None = None,
    ) -> None:  # fmt: skip
        self.add("dividends", midnight(ex_date), max(midnight(ex_date), known_at or midnight(ex_date)),
                 vendor_id=vendor_id or f"D{ticker}{ex_date}", ticker=ticker, ex_date=ex_date, cash_amount=cash,
                 currency="USD", declaration_date=None, pay_date=None)  # fmt: skip

    def option(self, session: dt.date, contract: str, *, known_at: dt.datetime | None = None, **values: Any) -> None:
        snapshot = calendars.close_at(session) + dt.timedelta(minutes=32)
        quote = {"underlying": "SPX", "spot": 100.0, "iv30": 0.2, "root": "SPXW", "right": "C", "bid": 1.0, "ask": 1.1,
                 "iv": 0.2, "delta": 0.5, "gamma": 0.01, "vega": 0.1, "theta": -0.1, "open_interest": 10.0,
                 "volume": 10.0, "last_price": 1.0, "adjusted": False, **values}  # fmt: skip
        self.add("option_chain", snapshot, known_at or snapshot, session=session, snapshot=snapshot,
                 contract=contract, **quote)  # fmt: skip

    def trade(
        self, symbol: str, session: dt.date, at: dt.datetime, price: float, size: int, side: str, number: int,
        *, known_at: dt.datetime | None = None,
    ) -> None:  # fmt: skip
        self.add("futures_trades", at, known_at or at + DELAY, symbol=symbol, root=symbol[:-2], expiry_hint=None,
                 instrument_no=1, session=session, ts_event=at, price=price, size=size, side=side, sequence=number,
                 print_no=0)  # fmt: skip

    def refuse(self, reason: str, received_at: dt.datetime) -> None:
        self.refused.append({
            "vendor": "polygon", "dataset": "equity_bars", "path": "polygon/rest/x.json",
            "row_index": len(self.refused), "row_text": "{}", "reason": reason, "body_sha256": "f" * 64,
            "received_at": received_at,
        })  # fmt: skip

    def write(self, root: Path) -> Home:
        home = Home(root).prepare()
        for number in (0, 1):
            folder = home.facts / f"batch-{number:06d}"
            folder.mkdir(parents=True)
            for name, dataset in DATASETS.items():
                rows = self.rows[name] if number else []
                pq.write_table(pa.Table.from_pylist(rows, schema=dataset.schema), folder / f"{name}.parquet")
            home.quarantine.mkdir(parents=True, exist_ok=True)
            refused = self.refused if number else []
            pq.write_table(
                pa.Table.from_pylist(refused, schema=QUARANTINE), home.quarantine / f"batch-{number:06d}.parquet"
            )
        return home
