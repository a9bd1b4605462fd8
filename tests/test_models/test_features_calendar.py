"""The calendar by rule is the exchange's own but for its days of mourning; and what it says of the coming session."""

import datetime as dt

import numpy as np
import pytest

from models.features import session_calendar
from models.features.compute import compute_batch
from models.features.panel import BarPanel
from pipelines import calendars

MOURNING = {dt.date(2018, 12, 5), dt.date(2025, 1, 9)}  # announced days before: no rule knows them
FIRST, LAST = dt.date(2013, 1, 1), dt.date(2026, 12, 31)


def told(day: dt.date) -> dict[str, float]:
    return dict(zip(session_calendar.NAMES, session_calendar.facts((day - session_calendar.EPOCH).days), strict=True))


def test_sessions_and_early_closes_by_rule_are_those_of_the_exchange() -> None:
    opens, closes = calendars.opens_and_closes(FIRST, LAST)
    days = [FIRST + number * session_calendar.DAY for number in range((LAST - FIRST).days + 1)]
    assert {day for day in days if session_calendar.trades(day) != (day in opens)} == MOURNING
    early = {day for day in opens if closes[day] - opens[day] < dt.timedelta(hours=6)}
    assert {day for day in days if session_calendar.closes_early(day)} == early and len(early) > 20


def test_what_is_said_of_the_coming_session() -> None:
    friday = told(dt.date(2025, 6, 27))
    assert (friday["next_weekday"], friday["nights_to_next"], friday["next_month"]) == (0.0, 3.0, 6.0)
    assert (friday["next_month_session"], friday["next_month_left"], friday["next_turn_of_month"]) == (20.0, 0.0, 1.0)
    assert friday["next_to_expiry"] == 13.0  # 18 July, with Independence Day between
    eve = told(dt.date(2025, 7, 2))
    assert (eve["next_early_close"], eve["next_before_holiday"], eve["nights_to_next"]) == (1.0, 1.0, 1.0)
    assert told(dt.date(2025, 7, 3))["nights_to_next"] == 4.0
    quarter = told(dt.date(2025, 6, 18))  # Juneteenth lies between
    assert (quarter["next_to_expiry"], quarter["next_quarter_expiry"], quarter["nights_to_next"]) == (0.0, 1.0, 2.0)
    assert told(dt.date(2025, 7, 17))["next_quarter_expiry"] == 0.0
    good_friday = told(dt.date(2019, 4, 17))  # the third Friday is no session: its Thursday expires
    assert (good_friday["next_to_expiry"], good_friday["next_before_holiday"]) == (0.0, 1.0)
    assert told(dt.date(2025, 1, 8))["nights_to_next"] == 1.0  # a day of mourning that no rule knows
    middle = told(dt.date(2025, 6, 10))
    assert (middle["next_turn_of_month"], middle["next_early_close"], middle["next_before_holiday"]) == (0.0, 0.0, 0.0)


def test_only_days_have_a_calendar() -> None:
    days = np.array([[20_000.0, 20_000.5, np.nan, 1e300, -1e9, 60_000.0]])
    panel = BarPanel(np.array(["2024-10-04"], "datetime64[D]"), tuple("ABCDEF"), {"session_day": days})
    for name, values in compute_batch(panel, session_calendar.FEATURES).items():
        assert np.isfinite(values[0]).tolist() == [True] + [False] * 5, name


@pytest.mark.parametrize("feature", session_calendar.FEATURES, ids=lambda feature: feature.name)
def test_bounds_hold_over_decades(feature: session_calendar.Feature) -> None:
    days = np.arange(7_500.0, 25_000.0, 7.0)[:, None]
    panel = BarPanel(days[:, 0].astype("datetime64[D]"), ("A",), {"session_day": days})
    values = compute_batch(panel, [feature])[feature.name]
    assert feature.bounds and values.min() >= feature.bounds[0] and values.max() <= feature.bounds[1]
