"""The sandbox's own time: where its history ends, and which nights are still to come."""

import datetime as dt

from pipelines import calendars
from pipelines.settings import Settings

BASE_SESSION = dt.date(2025, 6, 30)  # night 0 is the night after it
NIGHT_HOUR_UTC = 6


class NoSuchNight(ValueError):
    """The sandbox holds no further night."""


def night_of(session: dt.date) -> dt.datetime:
    """The moment of the nightly that follows `session`."""
    return dt.datetime(session.year, session.month, session.day, NIGHT_HOUR_UTC, tzinfo=dt.UTC) + dt.timedelta(days=1)


def night_now(settings: Settings, k: int) -> dt.datetime:
    """Moment of night `k`; 0 follows the base session."""
    nights = settings.sandbox.nights
    if not 0 <= k <= nights:
        raise NoSuchNight(
            f"the sandbox has no night {k}: it holds nights 0 to {nights}; "
            "raise the setting sandbox.nights, or start another home"
        )
    return night_of(BASE_SESSION if k == 0 else calendars.next_sessions(BASE_SESSION, k)[-1])


def all_sessions(settings: Settings) -> tuple[dt.date, ...]:
    """Every session of the sandbox, the coming nights' included."""
    past = calendars.previous_sessions(BASE_SESSION, settings.sandbox.sessions)
    return (*past, *calendars.next_sessions(BASE_SESSION, settings.sandbox.nights))
