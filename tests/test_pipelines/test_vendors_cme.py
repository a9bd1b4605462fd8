"""CME trades: sides, sizes that are unsigned, the trade date that begins the evening before."""

import datetime as dt
from collections import Counter
from typing import Any

import numpy as np
import pytest

from pipelines.vendors import cme
from tests.test_pipelines import bodies


def nanoseconds(*when: int) -> int:
    return int(dt.datetime(*when, tzinfo=dt.UTC).timestamp()) * 1_000_000_000


NOON = nanoseconds(2025, 6, 30, 17)


@pytest.mark.parametrize(
    ("moment", "session"),
    [
        ((2025, 6, 30, 21, 59), dt.date(2025, 6, 30)),
        ((2025, 6, 30, 22, 0), dt.date(2025, 7, 1)),  # 17:00 in Chicago
        ((2025, 1, 6, 22, 30), dt.date(2025, 1, 6)),  # in winter that is 16:30
        ((2025, 6, 29, 22, 0), dt.date(2025, 6, 30)),  # Sunday evening
        ((2025, 6, 28, 12, 0), dt.date(2025, 6, 30)),  # a Saturday's print counts on Monday
    ],
)
def test_the_trade_date_is_the_day_on_which_the_session_ends(moment: Any, session: dt.date) -> None:
    instants = np.array([nanoseconds(*moment) // 1000], dtype=np.int64)
    assert cme.trade_dates(instants).astype(object).tolist() == [session]


def test_prints_without_an_aggressor_stay_and_sizes_are_signed() -> None:
    body = bodies.dbn((NOON, 6200.25, 3, "B"), (NOON + 1, 6200.5, 5, "A"), (NOON + 2, 6200.5, 9, "N"))
    table, rejects = cme.trades(body, bodies.TRADES_PATH)
    assert rejects == []
    assert table["side"].to_pylist() == ["B", "A", "N"]
    sizes = table["size"].to_numpy()
    assert sizes[0] - sizes[1] == -2
    assert table["price"].to_pylist() == [6200.25, 6200.5, 6200.5]
    assert table["symbol"].to_pylist() == ["ESU5"] * 3
    assert table["expiry_hint"].to_pylist() == ["2025-09"] * 3


def test_prints_of_one_instant_are_counted_and_not_taken_for_duplicates() -> None:
    table, rejects = cme.trades(bodies.dbn((NOON, 6200.25, 3, "B"), (NOON, 6200.25, 3, "B")), bodies.TRADES_PATH)
    assert rejects == []
    assert table["print_no"].to_pylist() == [0, 1]


def test_no_size_and_no_known_side_are_refused() -> None:
    body = bodies.dbn((NOON, 6200.25, 0, "B"), (NOON + 1, 6200.5, 1, "X"), (NOON + 2, 6200.5, 1, "B"))
    _, rejects = cme.trades(body, bodies.TRADES_PATH)
    assert [(reject.row_index, reject.reason) for reject in rejects] == [(0, "bad_volume"), (1, "bad_type")]


def test_spreads_are_other_instruments() -> None:
    table, rejects = cme.trades(bodies.dbn((NOON, 55.0, 3, "B"), symbols={2: "ESU5-ESZ5"}), bodies.TRADES_PATH)
    assert (table.num_rows, rejects) == (0, [])


@pytest.mark.parametrize(
    ("symbol", "year", "hint"),
    [("ESU5", 2025, "2025-09"), ("ESH6", 2025, "2026-03"), ("ESH1", 2020, "2021-03"), ("ESZ25", 2025, "2025-12")],
)
def test_one_digit_of_a_year_is_the_next_such_year(symbol: str, year: int, hint: str) -> None:
    assert cme.expiry_hint(symbol, year) == hint


def test_the_real_es_trades_have_their_known_sides_and_lots(samples: Any) -> None:
    folder = samples / "cme" / "dbn" / "esu4_nqu4_2024-07-01"
    body = (folder / "futures_trades_2024-07-01T23-58_2024-07-02T00-02.dbn.zst").read_bytes()
    table, rejects = cme.trades(body, bodies.TRADES_PATH)
    assert (table.num_rows, rejects) == (120, [])
    assert sum(table["size"].to_pylist()) == 253
    assert Counter(table["side"].to_pylist()) == {"B": 66, "A": 54}
    assert set(table["session"].to_pylist()) == {dt.date(2024, 7, 2)}
    assert set(table["expiry_hint"].to_pylist()) == {"2024-09"}


def test_other_real_streams_never_crash(samples: Any) -> None:
    for path in sorted((samples / "cme" / "dbn").rglob("*.dbn.zst")):
        table, _ = cme.trades(path.read_bytes(), bodies.TRADES_PATH)
        table.validate(full=True)
