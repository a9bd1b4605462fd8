"""After thousands of malformed payloads the marts hold the good rows and nothing else. `make proof-payloads` is ten
thousand of them."""

import datetime as dt
import os
from pathlib import Path

import pytest

from pipelines.home import Home
from pipelines.lake import marts
from tests.test_pipelines import bodies
from tests.test_pipelines.lake_told import at, land
from tests.test_pipelines.malformed import Payload
from tests.test_pipelines.malformed_lake import (
    assert_facts_are_the_good_rows,
    assert_quarantine_holds_the_others,
    facts,
    landed,
)

PAYLOADS = int(os.environ.get("NIGHTDESK_PAYLOADS", "640"))
A_LAKE = 2_000  # payloads; with more, the universe of so many tickers is all the work
# What of each mart names a fact, and the datasets that it is made of.
NAMED = {
    "daily_bars": ("symbol, session", ("equity_bars",)),
    "minute_bars": ("symbol, epoch_ms(bar_start)", ("equity_minutes",)),
    "option_quotes": ("contract", ("option_chain", "option_snapshots")),
    "index_levels": ('"index", session', ("index_levels", "index_bars")),
    "market_statistics": ("session, product", ("market_statistics",)),
    "futures_trades": ("epoch_us(ts_event)", ("futures_trades",)),
}
IMPOSSIBLE = (
    "select * from daily_bars where not (low > 0 and high < 1e9 and low <= least(open, close) and volume >= 0)",
    "select * from daily_bars where not (split_factor > 0 and total_return_factor > 0)",
    "select * from minute_bars where not (low > 0 and high < 1e9 and high >= greatest(open, close))",
    "select * from option_quotes where bid < 0 or ask < bid or iv <= 0 or abs(delta) > 1.01",
    "select * from option_quotes where gamma < 0 or gamma > 1e4 or volume < 0 or open_interest < 0 or last_price < 0",
    "select * from index_levels where not (close > 0 and close < 1e9)",
    "select * from market_statistics where not (call_volume >= 0 and call_volume < 1e15)",
    "select * from futures_trades where price <> -37.63 or size <> 2",  # a price below nothing is a price of futures
    "select * from futures_bars where trades is not null and (low <> -37.63 or high <> -37.63)",
    "select * from futures_bars where trades is null and (low <> -37.75 or high <> -37.25 or volume <> 3)",
    "select * from instruments where asset_class = 'future' and delisted_on is not null",
    "select * from roll_calendar where root <> 'GC' and symbol <> 'ESU5'",
    "select * from corporate_actions where kind = 'dividend' and not (cash_amount >= 0 and cash_amount < 1e9)",
    "select * from symbols where symbol is null or symbol not similar to '[A-Za-z0-9][A-Za-z0-9./-]{0,19}'",
)


@pytest.mark.parametrize("begun", range(0, PAYLOADS, A_LAKE))
def test_nothing_bad_reaches_a_mart(begun: int, tmp_path: Path) -> None:
    payloads, home = landed(tmp_path, min(A_LAKE, PAYLOADS - begun), seed=11 + begun), Home(tmp_path)
    assert_facts_are_the_good_rows(home, payloads)
    assert_quarantine_holds_the_others(home, payloads)
    land(tmp_path, *_owners(payloads), now=at(1))
    failed = [test for test in marts.build(home, now=at(2)).tests if not test.good]
    assert failed == []
    with marts.connect(home, as_of=at(2)) as connection:
        for mart, (columns, datasets) in NAMED.items():
            found = connection.sql(f"select {columns} from {mart}").fetchall()
            assert len(found) == len(set(found))
            assert len(found) == sum(_distinct(home, name) for name in datasets), mart
        for question in IMPOSSIBLE:
            assert connection.sql(question).fetchall() == [], question
        told = connection.sql("select count(*) from quarantine").fetchall()[0][0]
        assert told == sum(len(one.refused) for one in payloads)


def _owners(payloads: list[Payload]) -> list[tuple[str, dt.datetime, bytes]]:
    """Minutes are nobody's before a day's bar or a list names their ticker."""
    named: dict[dt.date, set[str]] = {}
    for one in payloads:
        for ticker, start_ms in one.good if one.kind.dataset == "equity_minutes" else ():
            named.setdefault(dt.datetime.fromtimestamp(start_ms / 1000, dt.UTC).date(), set()).add(ticker)
    return [
        (bodies.GROUPED_PATH.replace("2025-06-30", str(day)), at(1), bodies.grouped(*map(bodies.bar, sorted(names))))
        for day, names in sorted(named.items())
    ]


def _distinct(home: Home, dataset: str) -> int:
    return len({grain for _, grain in facts(home, dataset)})
