"""On the day of a split a price that is still the old one is a bad print; whoever is on the new one stays."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from pipelines.home import Home
from pipelines.lake import marts
from tests.test_pipelines import bodies
from tests.test_pipelines.bodies import bar, envelope, grouped, minute
from tests.test_pipelines.lake_told import at, land, versions

FRIDAY = bodies.GROUPED_PATH.replace("2025-06-30", "2025-06-27")


def splits(to: float = 4.0, old: float = 1.0, ticker: str = "AAA") -> bytes:
    return envelope([{"id": "E1", "ticker": ticker, "execution_date": "2025-06-30", "split_from": old, "split_to": to}])


def prices(ticker: str, close: float, **more: Any) -> dict[str, Any]:
    return {**bar(ticker, close), "o": close, "h": close * 1.01, "l": close * 0.99, **more}


@pytest.mark.parametrize(
    ("to", "old", "close", "more", "kept"),
    [
        (4, 1, 25.3, {}, True), (4, 1, 99.0, {}, False), (4, 1, 25.3, {"h": 99.5}, False),
        (1, 10, 1010.0, {}, True), (1, 10, 101.0, {}, False), (1, 10, 1010.0, {"l": 101.0}, False),
        (4, 1, 40.0, {}, True),  # a leap of 60 % on the new prices is news, not a bad print
        (1.05, 1, 99.0, {}, True),  # a small stock dividend cannot be told from a day's move
    ],
)  # fmt: skip
def test_a_day_on_the_old_prices_is_set_aside(
    to: float, old: float, close: float, more: dict[str, float], kept: bool, tmp_path: Path
) -> None:
    told = land(
        tmp_path, (bodies.SPLITS_PATH, at(1), splits(to, old)), (FRIDAY, at(1), grouped(prices("AAA", 100.0))),
        (bodies.GROUPED_PATH, at(1), grouped(prices("AAA", close, **more), prices("BBB", 99.0))), now=at(1),
    )  # fmt: skip
    assert told.quarantined == ({} if kept else {"bad_print": 1})
    monday = [row for row in versions(tmp_path, "equity_bars", "ticker", "session") if row[1] == dt.date(2025, 6, 30)]
    assert [row[0] for row in monday] == (["AAA", "BBB"] if kept else ["BBB"])


@pytest.mark.parametrize(("close", "kept"), [(99.0, False), (25.3, True)])
def test_a_split_of_a_saturday_is_looked_for_on_monday(close: float, kept: bool, tmp_path: Path) -> None:
    body = splits().replace(b"2025-06-30", b"2025-06-28")
    told = land(
        tmp_path, (bodies.SPLITS_PATH, at(1), body), (FRIDAY, at(1), grouped(prices("AAA", 100.0))),
        (bodies.GROUPED_PATH, at(1), grouped(prices("AAA", close))), now=at(1),
    )  # fmt: skip
    assert told.quarantined == ({} if kept else {"bad_print": 1})


def test_what_was_learned_on_earlier_nights_counts_and_the_reject_names_its_body(tmp_path: Path) -> None:
    land(tmp_path, (bodies.SPLITS_PATH, at(1), splits()), (FRIDAY, at(1), grouped(prices("AAA", 100.0))), now=at(1))
    body = grouped(prices("BBB", 5.0), prices("AAA", 100.5))
    land(tmp_path, (bodies.GROUPED_PATH, at(2), body), now=at(2))
    marts.build(Home(tmp_path), now=at(2))
    with marts.connect(Home(tmp_path)) as con:
        (row,) = con.sql("select reason, row_index, path, body_sha256 from quarantine").fetchall()
        assert con.sql("select count(*) from daily_bars where session = '2025-06-30'").fetchall() == [(1,)]
    from pipelines.lake import raw

    assert row == ("bad_print", 1, bodies.GROUPED_PATH, raw.sha256_of(body))
    # The corrected body that follows is a fact.
    land(tmp_path, (bodies.GROUPED_PATH, at(3), grouped(prices("BBB", 5.0), prices("AAA", 25.1))), now=at(3))
    assert ("AAA", 25.1) in versions(tmp_path, "equity_bars", "ticker", "close")


def test_the_first_minutes_of_a_split_may_be_on_the_old_prices(tmp_path: Path) -> None:
    def at_price(place: int, close: float) -> dict[str, Any]:
        return {**minute(9, 30 + place), **dict.fromkeys("olc", close), "h": close * 1.001}

    body = envelope([at_price(0, 100.2), *(at_price(place, 25.0 + place / 50) for place in range(1, 9))])
    told = land(tmp_path, (bodies.SPLITS_PATH, at(1), splits()), (bodies.MINUTES_PATH, at(1), body), now=at(1))
    assert told.quarantined == {"bad_print": 1} and told.rows["equity_minutes"] == 8


def test_a_split_that_was_taken_back_sets_nothing_aside(tmp_path: Path) -> None:
    land(tmp_path, (bodies.SPLITS_PATH, at(1), splits()), (FRIDAY, at(1), grouped(prices("AAA", 100.0))), now=at(1))
    land(tmp_path, (bodies.SPLITS_PATH, at(2), envelope([])), now=at(2))
    told = land(tmp_path, (bodies.GROUPED_PATH, at(3), grouped(prices("AAA", 99.0))), now=at(3))
    assert told.quarantined == {}


@pytest.mark.parametrize(("split_at", "kept"), [(at(2), False), (at(2, 6, 20), False), (at(5), True)])
def test_prices_are_held_against_the_splits_of_their_receipt(split_at: dt.datetime, kept: bool, tmp_path: Path) -> None:
    """In one night or in two: who came before the split was known stands as it was believed."""
    before = (FRIDAY, at(1), grouped(prices("AAA", 100.0)))
    old = (bodies.GROUPED_PATH, at(2), grouped(prices("AAA", 99.0)))
    split = (bodies.SPLITS_PATH, split_at, splits())
    told = land(tmp_path / "one", before, old, split, now=at(9))
    assert told.quarantined == ({} if kept else {"bad_print": 1})
    if kept:
        land(tmp_path / "two", before, old, now=at(3))
        assert land(tmp_path / "two", before, old, split, now=at(9)).quarantined == {}
        assert versions(tmp_path / "one", "equity_bars", "close") == versions(tmp_path / "two", "equity_bars", "close")
