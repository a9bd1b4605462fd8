"""The leak gate's own parts: what it compares, what it names, and where it looks."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from models.features.registry import families
from pipelines import calendars
from pipelines.store import build, leak, read
from tests.test_pipelines.store_histories import connection, daily_bars

EQUITY = families()["equity_v1"]
AT = dt.datetime(2024, 5, 1, 13, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def rows() -> pa.Table:
    bars = daily_bars(np.random.default_rng(1), names=5, sessions=60, restatements=4)
    return read.newest(build.rows_of(connection(bars), EQUITY), AT)


def moved(rows: pa.Table, column: str, at: int, change: object) -> pa.Table:
    values = rows[column].to_pylist()
    values[at] = change
    return rows.set_column(rows.column_names.index(column), column, pa.array(values, rows.schema.field(column).type))


def test_equal_tables_have_nothing_to_tell(rows: pa.Table) -> None:
    assert leak.compare(rows, rows, EQUITY, AT) == []


@pytest.mark.parametrize("change", [lambda value: np.nextafter(value, 9.0), lambda value: None, lambda value: -value])
def test_one_bit_of_one_value_is_named_with_its_session(rows: pa.Table, change: object) -> None:
    at = int(np.flatnonzero(pc.is_valid(rows["ret_5"]).to_numpy())[17])
    value = rows["ret_5"][at].as_py()
    (finding,) = leak.compare(moved(rows, "ret_5", at, change(value)), rows, EQUITY, AT)  # type: ignore[operator]
    assert (finding.feature, finding.view, finding.values) == ("ret_5", "equity_v1", 1)
    assert finding.entity == rows["instrument_id"][at].as_py()
    assert finding.first_bad_time == str(rows["session"][at].as_py())


def test_the_earliest_of_several_bad_sessions_is_named(rows: pa.Table) -> None:
    several = np.flatnonzero(pc.is_valid(rows["rv_20"]).to_numpy())[-40:]
    table = rows
    for at in several:
        table = moved(table, "rv_20", int(at), 0.5)
    (finding,) = leak.compare(table, rows, EQUITY, AT)
    assert finding.values == 40
    assert finding.first_bad_time == str(min(rows["session"][int(at)].as_py() for at in several))


def test_rows_that_should_not_be_there_and_clocks_that_moved_are_findings_too(rows: pa.Table) -> None:
    (finding,) = leak.compare(rows, rows.slice(0, rows.num_rows - 1), EQUITY, AT)
    assert (finding.feature, finding.first_bad_time) == ("(row)", str(rows["session"][-1].as_py()))
    early = rows["event_time"][3].as_py() - dt.timedelta(hours=6, minutes=30)
    (finding,) = leak.compare(moved(rows, "event_time", 3, early), rows, EQUITY, AT)
    assert (finding.feature, finding.first_bad_time) == ("(row)", str(rows["session"][3].as_py()))


def test_where_it_looks_changes_with_the_night_and_not_with_the_hour() -> None:
    days = calendars.sessions(dt.date(2023, 1, 3), dt.date(2024, 5, 31))
    tonight = leak.sample_decisions(days, seed=7, count=4)
    assert tonight == leak.sample_decisions(days, seed=7, count=4)
    assert all(at.date() in days and at == calendars.open_at(at.date()) - dt.timedelta(minutes=30) for at in tonight)
    nights = {tuple(leak.sample_decisions(days[:count], seed=7, count=4)) for count in range(300, 320)}
    assert len(nights) == 20
    assert leak.sample_decisions(days, seed=8, count=4) != tonight
    assert leak.sample_decisions([], seed=7, count=4) == []
