"""Parameters that are fitted by night count from their month's first session, and know nothing later."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from models.features.inputs import FITTED
from models.features.registry import families
from models.features.statistical import garch
from pipelines import calendars
from pipelines.store import build, cells, fits, leak, read
from tests.test_pipelines.store_histories import connection, daily_bars, known_by


@pytest.fixture(autouse=True)
def short_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """On windows that a small market has."""
    monkeypatch.setattr(fits, "RETURNS", 60)
    monkeypatch.setattr(garch, "FEWEST", 20)
    monkeypatch.setattr(fits, "_held", {})


def of(bars: pa.Table) -> pa.Table:
    return cells.read(connection(bars), "garch")


def test_a_month_has_one_fit_made_of_what_came_before_it() -> None:
    bars = daily_bars(np.random.default_rng(2), names=3, sessions=100, restatements=0)
    rows = of(bars).filter(pc.equal(of(bars)["entity"], "BBG000000000")).to_pylist()
    months = {}
    for row in rows:
        months.setdefault(row["session"].strftime("%Y-%m"), set()).add(tuple(row[name] for name in FITTED))
    assert all(len(found) == 1 for found in months.values()) and months["2024-01"] == {(None, None, None)}
    (april,) = months["2024-04"]
    prices = {row["session"]: row["close"] * row["total_return_factor"] for row in rows}
    axis = [day for day in calendars.sessions(dt.date(2024, 1, 2), dt.date(2024, 3, 28))][-61:]
    path = np.array([prices.get(day, np.nan) for day in axis])
    assert april == tuple(garch.fit((path[1:] / path[:-1] - 1)[None])[0])


def test_fits_survive_every_truncation_with_restated_bars() -> None:
    bars = daily_bars(np.random.default_rng(3), names=4, sessions=110, restatements=8)
    features = families()["garch_v1"]
    whole = of(bars)
    for day in (dt.date(2024, 3, 5), dt.date(2024, 4, 30), dt.date(2024, 5, 20)):
        at = calendars.open_at(day) - dt.timedelta(minutes=30)
        early = of(known_by(bars, at))
        assert early.equals(whole.filter(pc.less_equal(whole["available_at"], pa.scalar(at, early.schema[4].type))))
        tables = (build.rows_of(connection(rows), features) for rows in (bars, known_by(bars, at)))
        then, again = (read.newest(table, at) for table in tables)
        assert leak.compare(then, again, features, at) == []


def test_a_late_bar_moves_the_fits_of_later_months_only() -> None:
    bars = daily_bars(np.random.default_rng(4), names=2, sessions=110, restatements=0)
    learned = dt.datetime(2024, 4, 10, 12, tzinfo=dt.UTC)
    late = bars.slice(40, 1).to_pylist()[0]
    late |= {"close": late["close"] * 1.5, "available_at": learned, "ingested_at": learned}
    before, after = of(bars), of(pa.concat_tables([bars, pa.Table.from_pylist([late], bars.schema)]))
    changed = set()
    held = {(row["entity"], row["session"]): row[FITTED[0]] for row in before.to_pylist()}
    for row in after.to_pylist():
        if row["entity"] == late["instrument_id"] and held[row["entity"], row["session"]] != row[FITTED[0]]:
            changed.add(row["session"].month)
    assert changed and min(changed) == 5
