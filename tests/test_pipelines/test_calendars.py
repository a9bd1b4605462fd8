"""Where the market stands at a moment: phases of a day, early closes, holidays, and both changes of the clock."""

import datetime as dt

import pytest

from pipelines import calendars


def at(text: str) -> dict[str, object]:
    return calendars.get_market_info(dt.datetime.fromisoformat(text))


@pytest.mark.parametrize(("moment", "session"), [
    ("2025-07-01T03:59:59-04:00", "closed"), ("2025-07-01T04:00:00-04:00", "pre_market"),
    ("2025-07-01T09:29:59-04:00", "pre_market"), ("2025-07-01T09:30:00-04:00", "regular"),
    ("2025-07-01T15:59:59-04:00", "regular"), ("2025-07-01T16:00:00-04:00", "post_market"),
    ("2025-07-01T20:00:00-04:00", "closed"),
    ("2025-07-03T12:59:59-04:00", "regular"), ("2025-07-03T13:00:00-04:00", "post_market"),  # closes early
    ("2025-07-03T17:00:00-04:00", "closed"),
    ("2025-07-04T11:00:00-04:00", "closed"), ("2025-01-09T11:00:00-05:00", "closed"),  # a holiday, a day of mourning
    ("2025-06-28T11:00:00-04:00", "closed"),  # a Saturday
    ("2025-03-10T13:30:00+00:00", "regular"), ("2025-03-07T13:30:00+00:00", "pre_market"),  # the clock goes forward
    ("2025-11-03T14:29:59+00:00", "pre_market"), ("2025-11-03T14:30:00+00:00", "regular"),  # and back
    ("2025-07-02T00:30:00+09:00", "regular"),  # half past eleven in New York, the day before
])  # fmt: skip
def test_a_moment_has_its_phase_whatever_zone_it_is_told_in(moment: str, session: str) -> None:
    told = at(moment)
    assert told["session"] == session and told["is_open"] is (session == "regular")


def test_what_comes_next_leaps_over_the_holiday_and_the_weekend() -> None:
    told = at("2025-07-03T14:00:00-04:00")
    assert told["early_close"] and told["is_trading_day"]
    assert told["next_open"] == dt.datetime(2025, 7, 7, 13, 30, tzinfo=dt.UTC)
    assert told["next_close"] == dt.datetime(2025, 7, 7, 20, tzinfo=dt.UTC)
    assert at("2025-07-07T09:30:00-04:00")["next_open"] == dt.datetime(2025, 7, 8, 13, 30, tzinfo=dt.UTC)
    assert not at("2025-07-04T11:00:00-04:00")["is_trading_day"]


def test_a_moment_without_a_zone_is_refused_and_none_at_all_is_now() -> None:
    with pytest.raises(ValueError, match="time zone"):
        at("2025-07-01T11:00:00")
    assert calendars.get_market_info()["session"] in {"pre_market", "regular", "post_market", "closed"}
