"""Design law 1, row by row: since when a version of a fact counts."""

import datetime as dt
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.home import Home
from pipelines.lake.facts import facts_digest
from tests.test_pipelines import bodies
from tests.test_pipelines.bodies import bar, envelope, grouped
from tests.test_pipelines.lake_told import at, land, versions

DAY = bodies.GROUPED_PATH
KNOWN = at(30, 20, 15, month=6)  # the close of 2025-06-30 in New York, and a quarter of an hour
SPLITS = bodies.SPLITS_PATH
ACTIVE, GONE = bodies.TICKERS_PATH, bodies.TICKERS_PATH.replace("listed", "delisted")
TICK = dt.timedelta(microseconds=1)


def split(to: float, ex_date: str = "2025-07-10") -> dict[str, Any]:
    return {"id": "E1", "ticker": "AAA", "execution_date": ex_date, "split_from": 1, "split_to": to}


def ticker(name: str, **more: Any) -> dict[str, Any]:
    return {"ticker": name, "market": "stocks", "active": True, "composite_figi": f"FIGI{name}", "cik": "1", **more}


def test_the_first_version_counts_from_the_close_and_a_correction_from_its_receipt(tmp_path: Path) -> None:
    land(tmp_path, (DAY, at(1), grouped(bar("AAA", 10.0), bar("BBB", 10.0))), now=at(1))
    land(tmp_path, (DAY, at(2), grouped(bar("AAA", 10.5), bar("BBB", 10.0))), now=at(2))
    assert versions(tmp_path, "equity_bars", "available_at", "ticker", "close") == [
        (KNOWN, "AAA", 10.0), (KNOWN, "BBB", 10.0), (at(2), "AAA", 10.5)
    ]  # fmt: skip


def test_an_equal_value_is_no_version_even_in_another_body(tmp_path: Path) -> None:
    land(tmp_path, (DAY, at(1), grouped(bar("AAA"))), now=at(1))
    result = land(tmp_path, (DAY, at(2), grouped(bar("AAA", vw=9.9))), now=at(2))
    assert result.vendors["polygon"].new_bodies == 1
    assert result.rows == {}
    assert len(versions(tmp_path, "equity_bars", "ticker")) == 1


def test_a_value_that_comes_back_is_a_third_version(tmp_path: Path) -> None:
    for day, close in ((1, 10.0), (2, 10.5), (3, 10.0)):
        land(tmp_path, (DAY, at(day), grouped(bar("AAA", close))), now=at(day))
    assert versions(tmp_path, "equity_bars", "close", "available_at") == [
        (10.0, KNOWN), (10.5, at(2)), (10.0, at(3))
    ]  # fmt: skip


def test_a_row_that_an_earlier_pull_should_have_held_counts_from_its_receipt(tmp_path: Path) -> None:
    land(tmp_path, (DAY, at(1), grouped(bar("AAA"))), now=at(1))
    land(tmp_path, (DAY, at(3), grouped(bar("AAA"), bar("BBB"))), now=at(3))
    assert versions(tmp_path, "equity_bars", "ticker", "available_at") == [("AAA", KNOWN), ("BBB", at(3))]


def test_a_session_first_asked_long_after_it_ended_is_history_and_not_late(tmp_path: Path) -> None:
    land(tmp_path, (DAY, at(20), grouped(bar("AAA"))), now=at(20))
    assert versions(tmp_path, "equity_bars", "ticker", "available_at") == [("AAA", KNOWN)]


def test_a_split_counts_from_midnight_in_new_york_of_its_ex_date(tmp_path: Path) -> None:
    land(tmp_path, (SPLITS, at(1), envelope([split(2)])), now=at(1))
    assert versions(tmp_path, "splits", "split_to", "available_at") == [(2, at(10, 4))]


def test_a_split_found_late_counts_from_its_receipt_because_a_confirmed_list_lacked_it(tmp_path: Path) -> None:
    land(tmp_path, (SPLITS, at(1), envelope([])), now=at(1))
    # The list is confirmed on the 11th together with something new, so that the pull is on record.
    land(tmp_path, (SPLITS, at(11), None), (DAY, at(11), grouped(bar("AAA"))), now=at(11))
    land(tmp_path, (SPLITS, at(12), envelope([split(2)])), now=at(12))
    assert versions(tmp_path, "splits", "split_to", "available_at") == [(2, at(12))]


def test_pages_of_one_list_are_one_pull(tmp_path: Path) -> None:
    second = SPLITS.replace("0001", "0002")
    land(tmp_path, (SPLITS, at(11), envelope([])), now=at(11))
    land(tmp_path, (SPLITS, at(12), envelope([], page=1)), (second, at(12), envelope([split(2)])), now=at(12))
    assert versions(tmp_path, "splits", "split_to", "available_at") == [(2, at(12))]


def test_a_split_corrected_before_its_day_never_counted_as_it_was(tmp_path: Path) -> None:
    land(tmp_path, (SPLITS, at(1), envelope([split(2)])), now=at(1))
    land(tmp_path, (SPLITS, at(2), envelope([split(3)])), now=at(2))
    assert versions(tmp_path, "splits", "split_to", "available_at") == [(2, at(10, 4)), (3, at(10, 4) + TICK)]


def test_a_name_first_seen_delisted_had_been_active_until_after_its_last_day(tmp_path: Path) -> None:
    gone = envelope([ticker("OLD", active=False, delisted_utc="2024-03-08T00:00:00Z")])
    land(tmp_path, (GONE, at(1), gone), (ACTIVE, at(1), envelope([ticker("AAA")])), now=at(1))
    after = dt.datetime(2024, 3, 9, 5, tzinfo=dt.UTC)
    rows = versions(tmp_path, "tickers", "ticker", "active", "delisted_utc", "available_at")
    assert rows[0][:3] == ("AAA", True, None) and rows[1][:3] == ("OLD", True, None)
    assert rows[2] == ("OLD", False, dt.date(2024, 3, 8), after)
    again = envelope([ticker("OLD", active=False, delisted_utc="2024-03-08T00:00:00Z")], page=2)
    assert land(tmp_path, (GONE, at(2), again), now=at(2)).rows == {}


def test_a_name_that_was_seen_active_is_gone_from_the_receipt_on(tmp_path: Path) -> None:
    land(tmp_path, (ACTIVE, at(1), envelope([ticker("AAA")])), now=at(1))
    gone = envelope([ticker("AAA", active=False, delisted_utc="2025-07-01T00:00:00Z")])
    land(tmp_path, (ACTIVE, at(2), envelope([])), (GONE, at(2), gone), now=at(2))
    assert [row[1:] for row in versions(tmp_path, "tickers", "ticker", "active", "available_at")][-1] == (False, at(2))


def test_a_body_that_nobody_timed_counts_from_the_modelled_time(tmp_path: Path) -> None:
    land(tmp_path, (DAY, None, grouped(bar("AAA"))), now=at(20))
    assert versions(tmp_path, "equity_bars", "ticker", "available_at") == [("AAA", KNOWN)]
    assert land(tmp_path, (DAY, None, grouped(bar("AAA"))), now=at(21)).unchanged


PULL = st.dictionaries(st.sampled_from(["AAA", "BBB"]), st.sampled_from([10.0, 10.25, 10.5]), max_size=2)


def expected(pulls: list[dict[str, float]]) -> list[tuple[Any, ...]]:
    """The law, said once more and slowly."""
    rows = []
    for name in ("AAA", "BBB"):
        last, began = None, None
        for number, pull in enumerate(pulls):
            if name in pull and pull[name] != last:
                moment = KNOWN if last is None and number == 0 else at(1 + number)
                began = moment if began is None else max(moment, began + TICK)
                rows.append((name, pull[name], began))
                last = pull[name]
    return sorted(rows, key=lambda row: (row[2], row[0]))


@settings(derandomize=True, database=None, deadline=None, max_examples=6)
@given(pulls=st.lists(PULL, min_size=2, max_size=4), cut=st.integers(0, 4))
def test_any_history_gives_the_same_versions_in_one_batch_or_in_many(pulls: list[dict[str, float]], cut: int) -> None:
    told = [
        (DAY, at(1 + number), grouped(*(bar(name, close) for name, close in pull.items()), {"T": str(number)}))
        for number, pull in enumerate(pulls)
    ]
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as many:
        land(Path(one), *told, now=at(9))
        for part in (told[:cut], told[cut:]):
            land(Path(many), *part, now=part[-1][1] if part else at(1))
        assert facts_digest(Home(Path(one))) == facts_digest(Home(Path(many)))
        assert versions(Path(many), "equity_bars", "ticker", "close", "available_at") == expected(pulls)


def test_what_another_source_says_of_a_known_fact_counts_from_its_receipt_in_one_run_or_two(tmp_path: Path) -> None:
    flat = bodies.flat("AAA,1000,10,10.4,11,9,1751256000000000000,10")
    told = [(DAY, at(1), grouped(bar("AAA", 10.0))), (bodies.FLAT_DAYS_PATH, at(2, 15), flat)]
    land(tmp_path / "one", *told, now=at(3))
    for delivery in told:
        land(tmp_path / "two", delivery, now=at(3))
    for home in ("one", "two"):
        assert versions(tmp_path / home, "equity_bars", "source", "available_at") == [
            ("grouped", KNOWN), ("flatfile", at(2, 15))]  # fmt: skip
    # Without notes of receipt nobody knows which came first: the modelled time stands for both.
    land(tmp_path / "three", *((path, None, body) for path, _, body in told), now=at(3))
    assert versions(tmp_path / "three", "equity_bars", "source", "available_at") == [
        ("flatfile", KNOWN), ("grouped", KNOWN)]  # fmt: skip


def second(vendor_id: str = "E2", ticker_: str = "BBB") -> dict[str, Any]:
    return {**split(2.0), "id": vendor_id, "ticker": ticker_}


def taken_back(folder: Path) -> list[tuple[Any, ...]]:
    return [row for row in versions(folder, "splits", "vendor_id", "withdrawn", "available_at") if row[1]]


def test_a_split_that_its_list_tells_no_longer_is_taken_back_from_then_on_and_may_return(tmp_path: Path) -> None:
    both, one = envelope([split(4.0), second()]), envelope([split(4.0)])
    land(tmp_path, (SPLITS, at(1), both), now=at(1))
    land(tmp_path, (SPLITS, at(12), one), now=at(12))
    assert taken_back(tmp_path) == [("E2", True, at(12))]
    assert land(tmp_path, (SPLITS, at(13), None), now=at(13)).unchanged
    land(tmp_path, (SPLITS, at(14), both), now=at(14))
    assert versions(tmp_path, "splits", "vendor_id", "withdrawn")[-1] == ("E2", False)
    # In one go, as a recording brings it, the same is learned.
    land(tmp_path / "again", (SPLITS, at(1), both), (SPLITS, at(12), one), (SPLITS, at(13), None),
         (SPLITS, at(14), both), now=at(14))  # fmt: skip
    assert facts_digest(Home(tmp_path / "again"), ["splits"]) == facts_digest(Home(tmp_path), ["splits"])


def test_a_pull_that_is_not_whole_takes_nothing_back(tmp_path: Path, capsys: Any) -> None:
    first, last = SPLITS, SPLITS.replace("0001", "0002")
    goes_on = envelope([split(4.0)], next_url="https://api.polygon.io/stocks/v1/splits?cursor=x")
    land(tmp_path, (first, at(1), goes_on), (last, at(1), envelope([second()])), now=at(1))
    # Only its first page came again; a row of it could not be read; most of it is gone.
    land(tmp_path, (first, at(2), envelope([], next_url="https://api.polygon.io/more")), now=at(2))
    land(tmp_path, (first, at(3), envelope([split(4.0), {**second(), "split_to": "two"}])), now=at(3))
    assert taken_back(tmp_path) == []
    many = [{**split(2.0), "id": f"M{number}", "ticker": f"T{number}"} for number in range(30)]
    land(tmp_path, (first, at(4), envelope([*many, split(4.0), second()])), now=at(4))
    land(tmp_path, (first, at(5), envelope(many[:10])), now=at(5))
    assert taken_back(tmp_path) == [] and "too many to be taken back" in capsys.readouterr().err
    land(tmp_path, (first, at(6), envelope([*many, split(4.0)])), now=at(6))
    assert taken_back(tmp_path) == [("E2", True, at(10, 4) + TICK)]  # before its day: it never counted
