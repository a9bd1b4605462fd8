"""Evidence out of the exchange's feed: numbers that come one by one, and who speaks where several do."""

import datetime as dt
from typing import Any

import pyarrow as pa

from models.market import clearing
from models.market.rolls import roll_versions
from tests.test_models.test_market_rolls import report

DAYS = [dt.date(2026, 1, day) for day in (5, 6, 7, 8, 9, 12)]
INSTANT = pa.timestamp("us", tz="UTC")
SCHEMA = pa.schema([("symbol", pa.string()), ("session", pa.date32()), ("statistic", pa.string()),
                    ("told_at", INSTANT), ("sequence", pa.int64()), ("quantity", pa.float64()),
                    ("available_at", INSTANT), ("ingested_at", INSTANT)])  # fmt: skip


def fed(day: int, symbol: str, statistic: str, quantity: float | None, *, minute: int = 5, hour: int = 2,
        known: dt.datetime | None = None) -> dict[str, Any]:  # fmt: skip
    told_at = dt.datetime(2026, 1, day + 1, hour, minute, tzinfo=dt.UTC)
    moment = known or told_at + dt.timedelta(minutes=15)
    return {"symbol": symbol, "session": dt.date(2026, 1, day), "statistic": statistic, "told_at": told_at,
            "sequence": 1, "quantity": quantity, "available_at": moment, "ingested_at": moment}  # fmt: skip


def both(day: int, feb: float, apr: float, statistic: str = "volume", **more: Any) -> list[dict[str, Any]]:
    return [fed(day, "GCJ6", statistic, apr, **more), fed(day, "GCG6", statistic, feb, **{"minute": 6, **more})]


def fronts(rule: str, *tellings: list[dict[str, Any]], details: Any = ()) -> list[tuple[int, str, int]]:
    """Day, symbol and the hour at which it was known."""
    rows = pa.Table.from_pylist([row for one in tellings for row in one], schema=SCHEMA)
    reports = pa.Table.from_pylist([row for one in details for row in one])
    reports = reports if reports.num_rows else pa.table({"root": pa.array([], pa.string())})
    found = roll_versions(reports, DAYS, rows).to_pylist()
    return [(row["session"].day, row["symbol"], row["available_at"].hour) for row in found if row["rule"] == rule]


def test_a_session_is_one_report_though_its_numbers_come_one_by_one() -> None:
    assert fronts("volume", both(5, 9, 1), both(6, 1, 9)) == [(6, "GCG6", 3), (7, "GCJ6", 3)]
    assert len(clearing.as_reports(pa.Table.from_pylist(both(5, 9, 1), schema=SCHEMA))) == 2


def test_open_interest_speaks_without_volume_and_silence_is_no_evidence() -> None:
    assert fronts("open_interest", both(5, 9, 1, "open_interest")) == [(6, "GCG6", 3)]
    assert fronts("volume", both(5, 9, 1, "open_interest")) == []
    assert fronts("open_interest", both(5, 9, 1, "open_interest"), both(5, 0, 0)) == []


def test_a_number_taken_back_is_none_and_what_comes_late_of_long_ago_is_no_news() -> None:
    gone = fed(5, "GCG6", "volume", None, hour=4)
    late = fed(5, "GCG6", "volume", 99, minute=1, known=dt.datetime(2026, 1, 7, 9, tzinfo=dt.UTC))
    rows = clearing.as_reports(pa.Table.from_pylist([*both(5, 9, 1), gone, late], schema=SCHEMA))
    assert [(row["symbol"], row["volume"], row["available_at"].hour) for row in rows] == [
        ("GCJ6", 1.0, 3), ("GCG6", 9.0, 3), ("GCG6", None, 5)
    ]  # fmt: skip


def test_the_exchanges_reports_speak_before_its_feed() -> None:
    assert fronts("volume", both(5, 1, 9), details=[report(5, 9, 1)])[0][:2] == (6, "GCJ6")  # until the report is out
    assert fronts("volume", both(5, 1, 9), details=[report(5, 9, 1)])[-1][:2] == (6, "GCG6")
    assert fronts("volume", both(6, 1, 9), details=[report(5, 9, 1)]) == [(6, "GCG6", 6), (7, "GCJ6", 3)]


def test_what_a_preliminary_report_leaves_out_the_feed_still_tells() -> None:
    early = [{**row, "open_interest": None} for row in report(5, 9, 1, kind="preliminary")]
    assert fronts("open_interest", both(5, 1, 9, "open_interest"), details=[early]) == [(6, "GCJ6", 3)]
