"""Orders that meet a recorded book: level by level, within their limits, never the same shares twice."""

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from live.adapters.depth import Depth, DepthError
from live.adapters.simulated import SimulatedVenue, VenueRules
from live.adapters.tape import TapeFeed
from live.backtest import backtest
from live.journal import Journal
from live.ports import Order
from models.intraday import Intraday, Size
from models.market.costs import CostModel
from models.signals.intraday import EmaCross
from tests.test_live.test_inside import DAYS, bundle, market
from tests.test_live.test_simulated_venue import START, bar, told

ASKS = [(100.02, 300.0), (100.05, 400.0), (100.50, 1_000.0)]
BIDS = [(99.98, 200.0), (99.90, 500.0)]


def write(path: Path, books: dict[tuple[str, dt.datetime], tuple[list, list]]) -> Path:
    rows = [(name, at, side, price, size) for (name, at), (asks, bids) in books.items()
            for side, levels in ((1, asks), (-1, bids)) for price, size in levels]
    names, ats, sides, prices, sizes = zip(*rows, strict=True)
    pq.write_table(pa.table({"instrument_id": names, "at": pa.array(ats, pa.timestamp("us", tz="UTC")),
                             "side": sides, "price": prices, "size": sizes}), path)
    return path


def venue(tmp_path: Path, asks: list = ASKS, bids: list = BIDS, age_s: float = 1.0) -> SimulatedVenue:
    at = START + dt.timedelta(minutes=1) - dt.timedelta(seconds=age_s)
    depth = Depth(write(tmp_path / "a.depth.parquet", {("A", at): (asks[::-1], bids)}))
    made = SimulatedVenue(CostModel.default(), VenueRules(), None, depth)
    made.open_session({"A": (5e7, 0.02)})
    made.on_bar(bar(0, 100, 101, 99, 100))
    return made


def test_an_order_walks_the_levels_within_its_limit_and_pays_in_its_price(tmp_path: Path) -> None:
    market_ = venue(tmp_path)
    market_.submit(Order("o", "A", 500, None, kind="market"))
    market_.submit(Order("second", "A", 500, 100.10, kind="market"))
    market_.submit(Order("sold", "A", -250, None, kind="market"))
    fills = market_.on_bar(bar(1, 100, 101, 99, 100))
    assert told(fills) == [(500, pytest.approx((300 * 100.02 + 200 * 100.05) / 500)), (200, 100.05),
                           (-250, pytest.approx((200 * 99.98 + 50 * 99.90) / 250))]
    fee = CostModel.default().fee_usd_per_share
    assert [fill.cost for fill in fills] == [pytest.approx(abs(fill.quantity) * fee) for fill in fills]
    assert fills[0].costs["spread"] == fills[0].costs["impact"] == 0.0


def test_beyond_the_book_or_its_limit_the_rest_waits(tmp_path: Path) -> None:
    market_ = venue(tmp_path)
    market_.submit(Order("none", "A", 100, 99.99, kind="market"))
    market_.submit(Order("o", "A", 5_000, None, kind="market"))
    assert told(market_.on_bar(bar(1, 100, 101, 99, 100))) == [
        (1_700, pytest.approx((300 * 100.02 + 400 * 100.05 + 1_000 * 100.50) / 1_700))]
    # Two minutes later the book is too old to be believed: the bar has to do, a tenth of its volume.
    assert told(market_.on_bar(bar(3, 99.0, 101, 99, 100))) == [(100, 99.0), (900, 99.0)]


@pytest.mark.parametrize(("asks", "bids", "age_s"), [
    (ASKS, BIDS, 61.0), (ASKS, BIDS, -1.0), (ASKS, [], 1.0), ([(99.0, 100.0)], BIDS, 1.0),
    ([(float("nan"), 100.0)], BIDS, 1.0), ([(100.02, -5.0)], BIDS, 1.0)])
def test_a_book_that_is_stale_of_later_crossed_or_broken_is_not_believed(
    tmp_path: Path, asks: list, bids: list, age_s: float
) -> None:
    market_ = venue(tmp_path, asks, bids, age_s)
    market_.submit(Order("o", "A", 100, None, kind="market"))
    assert told(market_.on_bar(bar(1, 100, 101, 99, 100))) == [(100, 100)]


def test_a_backtest_takes_up_the_books_that_lie_beside_its_tape(tmp_path: Path) -> None:
    bars, utc = market(), dt.UTC
    rows = [(b.instrument_id, b.instrument_id, day, dt.datetime.fromtimestamp(b.start_us / 1e6, utc), *b[2:])
            for day in DAYS for b in bars[day]]
    names = ("instrument_id", "symbol", "session", "bar_start", "open", "high", "low", "close", "volume")
    pq.write_table(pa.table(dict(zip(names, zip(*rows, strict=True), strict=True))), tmp_path / "t.parquet")
    chosen = bundle(Intraday(rule=EmaCross(3, 8), size=Size("shares", 300)))

    def fills(name: str) -> dict[str, float]:
        backtest(chosen, TapeFeed(tmp_path / "t.parquet"), tmp_path / name)
        with Journal(tmp_path / name) as book:
            return {entry.payload["order_id"]: entry.payload["price"] * entry.payload["quantity"]
                    for entry in book.entries("fill")}

    plain = fills("plain.sqlite")
    write(tmp_path / "t.depth.parquet", {
        (row[0], row[3] - dt.timedelta(seconds=2)): ([(row[4] + 0.03, 1e6)], [(row[4] - 0.03, 1e6)]) for row in rows})
    walked = fills("walked.sqlite")
    assert walked.keys() == plain.keys() and len(plain) > 20
    assert all(walked[key] - plain[key] == pytest.approx(300 * 0.03) for key in plain)  # bought higher, sold lower


def test_a_file_without_books_says_what_it_lacks(tmp_path: Path) -> None:
    pq.write_table(pa.table({"price": [1.0]}), tmp_path / "x.depth.parquet")
    with pytest.raises(DepthError, match="lacks at, instrument_id, side, size"):
        Depth(tmp_path / "x.depth.parquet")
