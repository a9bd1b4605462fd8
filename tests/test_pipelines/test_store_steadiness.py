"""Age and drift of a family's table: what is out of all bounds is named, what wanders is not."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pyarrow as pa

from models.features.registry import named
from pipelines import calendars
from pipelines.store import steadiness, story

FEATURES = named(("ret_1", "rv_20"))
DAYS = calendars.sessions(dt.date(2024, 1, 2), dt.date(2024, 12, 31))


def table(ret: np.ndarray, rv: np.ndarray) -> pa.Table:
    days = np.repeat(np.array(DAYS, dtype="datetime64[D]"), 5)
    at = [calendars.close_at(day) for day in DAYS for _ in range(5)]
    return pa.table({"session": pa.array(days, pa.date32()), "event_time": pa.array(at, pa.timestamp("us", tz="UTC")),
                     "ret_1": pa.array(ret, from_pandas=True), "rv_20": pa.array(rv, from_pandas=True)})  # fmt: skip


def test_a_mean_that_left_and_values_that_went_missing_are_named_and_noise_is_not() -> None:
    rng = np.random.default_rng(4)
    size = 5 * len(DAYS)
    calm = rng.normal(0, 0.01, size), 0.2 + rng.normal(0, 0.02, size)
    assert steadiness.unsteady(steadiness.shifts(table(*calm), FEATURES)) == []
    ret, rv = calm[0].copy(), calm[1].copy()
    ret[-100:] += 0.05
    rv[-90:] = np.nan
    left, missing = steadiness.unsteady(steadiness.shifts(table(ret, rv), FEATURES))
    assert left.startswith("ret_1: mean") and missing.startswith("rv_20: 90% more missing")


def test_a_short_past_says_nothing() -> None:
    short = table(*np.zeros((2, 5 * len(DAYS)))).slice(0, 5 * 100)
    assert steadiness.shifts(short, FEATURES) == {}


def test_a_table_is_stale_when_its_newest_row_is_older_than_its_features_may_be() -> None:
    rows = table(*np.zeros((2, 5 * len(DAYS))))
    newest = steadiness.newest_event(rows)
    assert newest == calendars.close_at(DAYS[-1]).isoformat()
    closed = dt.datetime.fromisoformat(newest)
    assert steadiness.stale_by(newest, FEATURES, closed + dt.timedelta(days=4)) is None
    assert steadiness.stale_by(newest, FEATURES, closed + dt.timedelta(days=6)) == dt.timedelta(days=1)
    patient = (replace(FEATURES[0], staleness=dt.timedelta(days=30)),)
    assert steadiness.stale_by(newest, patient, closed + dt.timedelta(days=6)) is None
    assert steadiness.stale_by(steadiness.newest_event(rows.slice(0, 0)), FEATURES, closed) is None


def test_minutes_of_the_last_session_are_fresh_in_the_morning() -> None:
    minutes = (replace(FEATURES[0], staleness=dt.timedelta(hours=1)),)
    closed = dt.datetime(2025, 6, 30, 20, tzinfo=dt.UTC)
    assert steadiness.stale_by(closed.isoformat(), minutes, dt.datetime(2025, 7, 1, 6, tzinfo=dt.UTC)) is None
    assert steadiness.stale_by(closed.isoformat(), minutes, closed + dt.timedelta(days=6)) == dt.timedelta(days=1)


def test_the_last_bits_of_a_share_of_100_are_within_its_bounds() -> None:
    share = (replace(FEATURES[0], bounds=(0.0, 100.0)),)
    assert story.out_of_bounds({FEATURES[0].name: {"min": -1e-14, "max": 100.00000000000001}}, share) == []
    assert story.out_of_bounds({FEATURES[0].name: {"min": 0.0, "max": 100.001}}, share) != []
