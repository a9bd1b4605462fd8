"""Exchange sessions from exchange_calendars; what live needs of them travels in the bundle."""

import datetime as dt
from bisect import bisect_left, bisect_right
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo


@lru_cache
def _xnys() -> Any:
    import exchange_calendars

    return exchange_calendars.get_calendar("XNYS", start="1990-01-01")


@lru_cache
def _all_sessions() -> list[dt.date]:
    return [stamp.date() for stamp in _xnys().sessions]


def sessions(first: dt.date, last: dt.date) -> list[dt.date]:
    """Trading days of the US equity market, both ends included."""
    known = _all_sessions()
    if known[0] <= first and last <= known[-1]:
        return known[bisect_left(known, first) : bisect_right(known, last)]
    # Beyond what the calendar knows it says so itself.
    return [stamp.date() for stamp in _xnys().sessions_in_range(str(first), str(last))]


def next_sessions(after: dt.date, count: int) -> list[dt.date]:
    return sessions(after + dt.timedelta(days=1), after + dt.timedelta(days=count * 2 + 10))[:count]


def previous_sessions(upto: dt.date, count: int) -> list[dt.date]:
    """The last `count` sessions, `upto` included when it is one."""
    return sessions(upto - dt.timedelta(days=count * 2 + 10), upto)[-count:]


@lru_cache(maxsize=20_000)
def open_at(session: dt.date) -> dt.datetime:
    """Instant of the opening print, UTC."""
    return _xnys().session_open(str(session)).to_pydatetime().astimezone(dt.UTC)


@lru_cache(maxsize=20_000)
def close_at(session: dt.date) -> dt.datetime:
    """Instant of the closing print, UTC; early closes included."""
    return _xnys().session_close(str(session)).to_pydatetime().astimezone(dt.UTC)


def opens_and_closes(
    first: dt.date, last: dt.date
) -> tuple[dict[dt.date, dt.datetime], dict[dt.date, dt.datetime]]:
    """Openings and closings of all sessions between two days at once, UTC."""
    schedule = _xnys().schedule.loc[str(first) : str(last)]
    days = [stamp.date() for stamp in schedule.index]
    opens, closes = (
        [stamp.to_pydatetime().astimezone(dt.UTC) for stamp in schedule[name]] for name in ("open", "close")
    )
    return dict(zip(days, opens, strict=True)), dict(zip(days, closes, strict=True))


def last_closed_session(now: dt.datetime) -> dt.date:
    """The newest session whose close is not after `now`."""
    candidates = previous_sessions(now.date(), 2)
    return max(day for day in candidates if close_at(day) <= now)


def last_begun_session(now: dt.datetime) -> dt.date:
    """The newest session whose open is not after `now`."""
    return max(day for day in previous_sessions(now.date(), 2) if open_at(day) <= now)


_NEW_YORK = ZoneInfo("America/New_York")
_PRE_MARKET, _POST_MARKET, _POST_MARKET_OF_AN_EARLY_CLOSE = dt.time(4), dt.time(20), dt.time(17)
_WHOLE_DAY = dt.timedelta(hours=6, minutes=30)


def get_market_info(now: dt.datetime | None = None) -> dict[str, Any]:
    """Where the US equity market stands: `session` is pre_market, regular, post_market or closed; `next_open` and
    `next_close` are the coming ones, UTC. Without a moment, of this one."""
    now = now or dt.datetime.now(dt.UTC)
    if now.tzinfo is None:
        raise ValueError(f"{now} has no time zone")
    today = now.astimezone(_NEW_YORK).date()
    coming = sessions(today, today + dt.timedelta(days=14))
    trades = coming[0] == today
    opens, closes = open_at(coming[0]), close_at(coming[0])
    early = trades and closes - opens < _WHOLE_DAY
    last = _POST_MARKET_OF_AN_EARLY_CLOSE if early else _POST_MARKET
    begins, ends = (dt.datetime.combine(today, at, tzinfo=_NEW_YORK) for at in (_PRE_MARKET, last))
    session = "closed"
    if trades and begins <= now < ends:
        session = "pre_market" if now < opens else "regular" if now < closes else "post_market"
    return {
        "session": session, "is_open": session == "regular", "date": today, "is_trading_day": trades,
        "early_close": early,
        "next_open": next(moment for moment in map(open_at, coming) if moment > now),
        "next_close": next(moment for moment in map(close_at, coming) if moment > now),
    }  # fmt: skip
