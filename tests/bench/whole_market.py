"""A whole market's flat day files with deaths, renames and reused tickers: into the lake, all marts, and a night later.

Not part of `make bench`, for it is long: `python -m tests.bench.whole_market 6000 504` (tickers a day, sessions).
"""

import datetime as dt
import gzip
import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pipelines import calendars, settings
from pipelines.home import Home
from pipelines.moments import NEW_YORK
from tests.bench.ingest import HEADER
from tests.bench.measure import inputs, peak_mb

LAST = dt.date(2025, 6, 30)
NOW = dt.datetime(2025, 7, 1, 10, tzinfo=dt.UTC)
DYING_A_YEAR, RENAMED_A_YEAR, REUSED = 0.10, 0.02, 0.3
PAGE = 1000


def _symbol(number: int) -> str:
    letters = "".join(chr(65 + number // 26**place % 26) for place in range(4))
    return f"{letters}{chr(65 + number // 26**4)}" if number >= 26**4 else letters


class Market:
    """Who lives from when to when under which tickers. Others are born as some die, and take some of their tickers."""

    def __init__(self, names: int, sessions: int) -> None:
        self.days = calendars.previous_sessions(LAST, sessions)
        self.chance = np.random.default_rng(11)
        born = int(names * DYING_A_YEAR * sessions / 252)
        self.count = names + born
        self.first, self.end = np.zeros(self.count, int), np.full(self.count, sessions)
        self.first[names:] = np.sort(self.chance.integers(1, sessions, born))
        dead = self.chance.choice(names, min(born, names * 9 // 10), replace=False)
        self.end[dead] = np.sort(self.chance.integers(1, sessions, len(dead)))
        self.tickers = [[(int(self.first[one]), _symbol(one))] for one in range(self.count)]
        renamed = self.chance.random(self.count) < RENAMED_A_YEAR * sessions / 252
        for one in np.flatnonzero(renamed & (self.end - self.first > 30)):
            at = int(self.chance.integers(self.first[one] + 10, self.end[one] - 10))
            self.tickers[one].append((at, _symbol(self.count + int(one))))
        heirs = iter(range(names, self.count))
        for one in sorted(dead, key=lambda one: self.end[one]):
            heir = next((heir for heir in heirs if self.first[heir] > self.end[one] + 40), None)
            if heir is not None and self.chance.random() < REUSED:
                self.tickers[heir][0] = (int(self.first[heir]), self.tickers[one][-1][1])

    def bodies(self) -> Iterator[tuple[str, bytes]]:
        now = [told[0][1] for told in self.tickers]
        changes = {(at, one): symbol for one, told in enumerate(self.tickers) for at, symbol in told[1:]}
        prices = np.exp(self.chance.normal(3, 1, self.count)) + 0.5
        payers, paid = np.flatnonzero(self.chance.random(self.count) < 0.4), []
        for number, day in enumerate(self.days):
            for one in [one for at, one in changes if at == number]:
                now[one] = changes[number, one]
            live = (self.first <= number) & (number < self.end)
            prices = np.maximum(prices * np.exp(self.chance.normal(0, 0.02, self.count)), 0.05)
            start = int(dt.datetime.combine(day, dt.time(), NEW_YORK).timestamp()) * 1_000_000_000
            lines = [f"{now[one]},{1000 + one},{prices[one]:.2f},{prices[one]:.2f},{prices[one] + 0.01:.2f},"
                     f"{prices[one] - 0.01:.2f},{start},9" for one in np.flatnonzero(live)]  # fmt: skip
            path = f"flatfiles/us_stocks_sip/day_aggs_v1/{day:%Y}/{day:%m}/{day}.csv.gz"
            yield path, gzip.compress("\n".join([HEADER, *sorted(lines), ""]).encode(), 1, mtime=0)
            paid += [{"id": f"d{number}-{one}", "ticker": now[one], "ex_dividend_date": str(day), "cash_amount": 0.05,
                      "currency": "USD", "dividend_type": "CD"}
                     for one in payers[(payers * 7 + number) % 63 == 0] if live[one]]  # fmt: skip
        yield from _pages("dividends", paid)
        yield from _pages("tickers", [self._listed(one) for one in range(self.count)])
        for one, told in enumerate(self.tickers):
            if len(told) > 1 or one % 3 == 0:
                events = [{"type": "ticker_change", "date": str(self.days[at]), "ticker_change": {"ticker": symbol}}
                          for at, symbol in told]  # fmt: skip
                about = {"composite_figi": _figi(one), "cik": f"{one:010d}", "events": events}
                yield f"rest/vX/reference/tickers/{_figi(one)}/events.json", _body(about)

    def _listed(self, one: int) -> dict[str, Any]:
        row = {"ticker": self.tickers[one][-1][1], "name": f"Company {one}", "market": "stocks", "type": "CS",
               "primary_exchange": "XNYS", "active": True, "currency_name": "usd", "cik": f"{one:010d}",
               "composite_figi": _figi(one)}  # fmt: skip
        gone = {"active": False, "delisted_utc": f"{self.days[self.end[one] - 1]}T00:00:00Z"}
        return {**row, **gone} if self.end[one] < len(self.days) else row


def _figi(one: int) -> str:
    return f"BBG00{one:07d}"


def _body(results: Any) -> bytes:
    return json.dumps({"results": results, "status": "OK"}).encode()


def _pages(kind: str, rows: list[dict[str, Any]]) -> Iterator[tuple[str, bytes]]:
    for start in range(0, len(rows), PAGE):
        yield f"rest/v3/reference/{kind}/{start // PAGE:04d}.json", _body(rows[start : start + PAGE])


def source(names: int, sessions: int) -> Path:
    folder = inputs() / f"whole-market-{names}x{sessions}"
    if not folder.exists():
        half_made = folder.with_name(f"{folder.name}.half")
        shutil.rmtree(half_made, ignore_errors=True)
        for name, body in Market(names, sessions).bodies():
            path = half_made / "polygon" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
        half_made.rename(folder)
    return folder


def told(what: str, work: Callable[[], Any]) -> Any:
    begun, used = time.perf_counter(), time.process_time()
    result = work()
    print(f"{what}: {time.process_time() - used:.1f} s of the processor, {time.perf_counter() - begun:.1f} s by the "
          f"wall; {peak_mb():,.0f} MB at most until here", flush=True)  # fmt: skip
    return result


def main(names: int, sessions: int) -> None:
    from pipelines.lake import completeness, marts
    from pipelines.lake.facts import facts_digest
    from pipelines.lake.ingest import ingest

    root, folder = inputs() / f"whole-market-home-{names}x{sessions}", source(names, sessions)
    shutil.rmtree(root, ignore_errors=True)
    home = Home(root).prepare()
    chosen = settings.load({"home": str(root), "source": f"files:{folder}"}, environment={"NIGHTDESK_HOME": "no-home"})
    rows = told("ingest", lambda: ingest(chosen, home, NOW)).rows
    told("the same again", lambda: ingest(chosen, home, NOW))
    built = told("all marts and their tests", lambda: marts.build(home, now=NOW))
    told("the same again", lambda: marts.build(home, now=NOW))
    told("digests of all facts, as status has them", lambda: facts_digest(home))
    told("what is missing by the calendar", lambda: completeness.of_home(home, chosen.source, NOW))
    print(f"{rows['equity_bars']:,} bars, {sum(built.rows.values()):,} rows of marts")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
