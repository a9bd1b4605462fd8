"""Bodies received again, late, twice or out of order: nobody knew a row before somebody told it."""

import datetime as dt
from pathlib import Path

from tests.test_pipelines.bodies import DAY_NS, FLAT_DAYS_PATH, flat
from tests.test_pipelines.lake_told import at, land, versions

MODELLED = dt.datetime(2025, 6, 30, 20, 15, tzinfo=dt.UTC)


def closes(**close_of: float) -> bytes:
    return flat(*(f"{ticker},100,{close},{close},{close},{close},{DAY_NS},9" for ticker, close in close_of.items()))


def told(folder: Path, *deliveries: tuple[dt.datetime, bytes | None]) -> list[tuple[str, float, dt.datetime]]:
    land(folder, *((FLAT_DAYS_PATH, moment, body) for moment, body in deliveries), now=at(31))
    return sorted(versions(folder, "equity_bars", "ticker", "close", "available_at"))


def test_a_row_that_came_late_stays_late_although_its_body_is_received_once_more(tmp_path: Path) -> None:
    two, three = closes(AAA=10.0, BBB=20.0), closes(AAA=10.0, BBB=20.0, CCC=5.0)
    expected = [("AAA", 10.0, MODELLED), ("BBB", 20.0, MODELLED), ("CCC", 5.0, at(5))]
    assert told(tmp_path / "once", (at(1), two), (at(5), three)) == expected
    assert told(tmp_path / "again", (at(1), two), (at(5), three), (at(9), None)) == expected


def test_a_figure_changed_and_changed_back_has_three_versions(tmp_path: Path) -> None:
    ten, eleven = closes(AAA=10.0), closes(AAA=11.0)
    found = told(tmp_path, (at(1), ten), (at(2), None), (at(5), eleven), (at(9), ten), (at(10), None))
    assert [(close, moment) for _, close, moment in sorted(found, key=lambda row: row[2])] == [
        (10.0, MODELLED), (11.0, at(5)), (10.0, at(9))]  # fmt: skip
