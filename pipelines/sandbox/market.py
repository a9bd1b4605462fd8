"""The whole generated market: everything that ever happens in it, and since when each fact can be known."""

import datetime as dt
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pipelines import calendars
from pipelines.sandbox import actions, bars, cast, clock, equities, minutes, signal, volume
from pipelines.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa

FEED_DELAY = dt.timedelta(minutes=15)
CORRECTED_SESSION_NIGHT, CORRECTION_NIGHT = 2, 5


class NoMinutes(LookupError):
    """Minute bars exist for the base session and the coming nights only."""


@dataclass(frozen=True)
class Correction:
    """A day bar that was first published wrong: until `published_at`, close and high stand `factor` too high."""

    session: int
    company: int
    factor: float
    published_at: dt.datetime


@dataclass(frozen=True)
class Market:
    """Columns are companies in the cast's order; sessions are indices into `sessions`."""

    settings: Settings
    sessions: tuple[dt.date, ...]
    base: int  # index of the last session before night 0 ends
    cast: tuple[cast.Company, ...]
    traits: cast.Traits
    splits: tuple[actions.Split, ...]
    dividends: tuple[actions.Dividend, ...]
    noise: equities.Noise
    days: equities.Days
    bars: bars.Bars
    minutes: dict[int, minutes.Minutes]
    correction: Correction | None
    bodies: dict[object, bytes] = field(default_factory=dict)  # of what never changes, kept once built

    @property
    def last_night(self) -> int:
        return len(self.sessions) - 1 - self.base

    def night_now(self, k: int) -> dt.datetime:
        return clock.night_now(self.settings, k)

    @cached_property
    def index_of(self) -> dict[dt.date, int]:
        return {session: number for number, session in enumerate(self.sessions)}

    @cached_property
    def closes_at(self) -> tuple[dt.datetime, ...]:
        return tuple(calendars.close_at(session) for session in self.sessions)

    def latest(self, now: dt.datetime, delay: dt.timedelta = FEED_DELAY) -> int:
        """Index of the newest session whose day bar is out; -1 before the first."""
        return sum(1 for closed in self.closes_at if closed + delay <= now) - 1

    def today(self, now: dt.datetime) -> int:
        """Index of the session whose symbols are in force: today's from midnight New York, else the last one's."""
        from zoneinfo import ZoneInfo

        day = now.astimezone(ZoneInfo("America/New_York")).date()
        return sum(1 for session in self.sessions if session <= day) - 1

    def minute_bars(self, session: dt.date) -> "pa.Table":
        """The tape of one session: every name's minute bars, in order of time, then ticker."""
        import pyarrow as pa

        number = self.index_of.get(session, -1)
        if number not in self.minutes:
            first, last = self.sessions[min(self.minutes)], self.sessions[max(self.minutes)]
            raise NoMinutes(f"the sandbox has no minute bars of {session}; it has them from {first} to {last}")
        parts = self.minutes[number]
        by_ticker = sorted(range(len(self.cast)), key=lambda c: self.cast[c].ticker_on(number))
        minute, place = np.nonzero(parts.traded[by_ticker].T)
        company = np.array(by_ticker)[place]
        begun = np.datetime64(calendars.open_at(session).replace(tzinfo=None), "us")
        columns = {name: getattr(parts, name)[company, minute] for name in ("open", "high", "low", "close", "volume")}
        return pa.table(
            {
                "ticker": [self.cast[c].ticker_on(number) for c in company.tolist()],
                "bar_start": pa.array(begun + minute * np.timedelta64(60_000_000, "us"), pa.timestamp("us", "UTC")),
                **{name: values.astype(np.float64) for name, values in columns.items()},
            }
        )

    def oracle_sharpe(self) -> float:
        """Annual Sharpe, net of the default costs, of who knows the planted drift."""
        from pipelines.sandbox.oracle import net_sharpe

        return net_sharpe(self)


def _minute_count(session: dt.date) -> int:
    return int((calendars.close_at(session) - calendars.open_at(session)).total_seconds() // 60)


def generate(settings: Settings) -> Market:
    """Make the market of this seed and these sizes, coming nights included. Same settings, same market."""
    seed, sizes = settings.seed, settings.sandbox
    sessions = clock.all_sessions(settings)
    base = sizes.sessions - 1
    companies = cast.make_cast(sizes.names, sessions[: base + 1])
    traits = cast.make_traits(seed, companies)
    splits = actions.make_splits(companies, sessions, base)
    dividends = actions.make_dividends(companies, traits, splits, len(sessions) - 1)
    noise = equities.make_noise(seed, companies, traits, len(sessions))
    days = equities.make_days(companies, traits, noise, signal.strength(settings), splits, dividends)
    shares = volume.make_volume(seed, traits, noise, days)
    drawn = bars.draw_bars(seed, noise, days, shares)
    by_minute = {
        s: minutes.make_minutes(
            seed, s - base, _minute_count(sessions[s]), drawn.open[s], drawn.close[s], noise.day_vol[s], shares[s]
        )
        for s in range(base, len(sessions))
    }
    correction = None
    if base + CORRECTION_NIGHT < len(sessions):
        known = calendars.close_at(sessions[base + CORRECTION_NIGHT]) + dt.timedelta(hours=3)
        correction = Correction(base + CORRECTED_SESSION_NIGHT, 1, 1.012, known)
    return Market(
        settings, sessions, base, companies, traits, splits, dividends, noise, days, bars.add_up(drawn, by_minute),
        by_minute, correction,
    )
