"""A small sandbox over the nights of its late split and its corrected bar: what was known does not change."""

import datetime as dt
from collections.abc import Iterator

import numpy as np
import pyarrow.parquet as pq
import pytest

from models.features import planted
from models.features.registry import DAILY, FEATURES, families, grouped
from models.features.registry import named as named_features
from pipelines import digest
from pipelines.store import build, frame, leak, read, recipe
from tests.test_pipelines.store_lived import Lived
from tests.truth.planting import DECISIONS, NIGHTS, Field, named
from tests.truth.plants import PLANTS, Plant

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.xdist_group("feast")]
PLANTED = ("L1-smoothed", "L2-last-factor", "L4-restated-close", "L7-known-at-the-close", "L8-known-at-four",
           "L9-an-hour-of-summer", "L10-closes-carried", "L11-next-return", "L13-filled-backwards", "L14-neighbours",
           "LX-doubles-soon")  # fmt: skip


@pytest.mark.parametrize("night", NIGHTS[:-1])
def test_the_panel_as_of_a_past_night_is_the_one_of_that_night(lived: Lived, night: int) -> None:
    again = frame.decision_panel(lived.home, now=lived.moments[5], as_of=lived.moments[night])
    assert frame.panel_digest(again) == lived.panels[night]


def test_the_nights_rebuilt_what_was_touched_and_arrived_at_the_same_table(lived: Lived) -> None:
    from pipelines.lake import marts

    whole, last = lived.built[2]["equity_v1"], lived.built[5]["equity_v1"]
    assert 0 < last.rebuilt < whole.rebuilt
    with marts.connect(lived.home) as con:
        for view, features in families().items():
            fresh = build.rows_of(con, features)
            keys = [fresh.column_names[0], "session", "available_at"]
            assert digest.table_digest(fresh, keys) == lived.built[5][view].digest


def test_a_restatement_is_a_new_version_beside_the_old(lived: Lived) -> None:
    versions = pq.read_table(build.table_path(lived.home, "equity_v1"))
    early, late = (read.newest(versions, lived.moments[night]) for night in (2, 5))
    held = {(row["instrument_id"], row["session"]): row for row in early.to_pylist()}
    moved = [row for row in late.to_pylist() if (key := (row["instrument_id"], row["session"])) in held
             and any(row[item.name] != held[key][item.name] for item in FEATURES if item.view == "equity_v1")]
    assert moved
    first_seen = lived.moments[2]
    assert all(row["available_at"] > first_seen for row in moved)


def test_the_panel_is_what_plain_reading_of_the_tables_gives(lived: Lived) -> None:
    now = lived.moments[5]
    panel = frame.decision_panel(lived.home, now=now)
    session = panel.sessions[-4]
    at = frame.decision_time(session.astype(dt.date))
    for view, features in grouped(named_features(DAILY)).items():
        rows = read.rows_as_of(lived.home, view, at).to_pylist()
        newest = {row[next(iter(row))]: row for row in rows}  # key order: the last of an entity is its newest session
        for column, name in enumerate(panel.names):
            row = newest.get({"equity_v1": name, "options_v1": "SPX", "futures_v1": "ES"}[view])
            for feature in features:
                value = panel.column(feature.name)[-4, column]
                fresh = row is not None and at - row["event_time"] <= feature.staleness
                expected = row[feature.name] if fresh and row[feature.name] is not None else np.nan
                assert np.array_equal(value, expected, equal_nan=True), (feature.name, name)


def test_the_coming_session_is_decidable_and_the_dead_are_not(lived: Lived) -> None:
    panel = frame.decision_panel(lived.home, now=lived.moments[5])
    assert panel.sessions[-1] > np.datetime64(lived.moments[5].date()) - np.timedelta64(1, "D")
    assert panel.tradable[-1].any() and not panel.tradable[-1].all()
    assert np.isfinite(panel.column("ret_1")[-1][panel.tradable[-1]]).all()


@pytest.fixture(scope="module")
def field(lived: Lived) -> Iterator[Field]:
    """The gate's altered lakes, built once for the clean run and for every plant."""
    field = Field(lived.home, lived.moments[5], lived.home.root.parent)
    yield field
    field.close()


def test_the_gate_is_clean(lived: Lived, field: Field) -> None:
    now = lived.moments[5]
    moments = [frame.decision_time(day) for day in DECISIONS]
    clean = leak.leak_check(lived.home, now=now, moments=moments, variants=("truncate",), rebuild=field.rebuild)
    assert clean.passed and clean.compared_values > 1000, clean.findings
    assert leak.audit(lived.home, now) == []
    assert all(leak.parity_check(lived.home, at) == [] for at in (now, *moments))


@pytest.mark.parametrize("label", PLANTED)
def test_a_leak_of_each_kind_is_caught_and_named(field: Field, label: str) -> None:
    plant = next(plant for plant in PLANTS if plant.label == label)
    found = field.catch(plant)
    assert found and named(plant, found), found


def test_the_leak_of_the_settings_is_named_with_its_first_bad_date(lived: Lived, field: Field) -> None:
    found = field.catch(Plant("settings", "leak.planted", recipe.Recipe(
        "planted", (*families()["equity_v1"], planted.FEATURE), planted.derive_with_leak)))
    assert {finding.feature for finding in found} == {"planted_centred_mean"}
    for finding in found:
        decided = dt.date.fromisoformat(finding.decision_time[:10])
        days = np.unique(read.rows_as_of(lived.home, "equity_v1", lived.moments[5])["session"].to_numpy())
        before = [day for day in days.astype(object) if day < decided]
        assert finding.first_bad_time == str(before[-2])  # it knew two sessions ahead
        assert finding.input == "daily_bars.close, daily_bars.total_return_factor"
