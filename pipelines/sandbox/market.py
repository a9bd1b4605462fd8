"""The whole generated market: everything that ever happens in it, and since when each fact can be known."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pipelines import calendars
from pipelines.sandbox import actions, bars, cast, clock, equities, incidents, minutes, signal, volume
from pipelines.sandbox.chance import stream
from pipelines.settings import Settings
from pipelines.settings_sections import Sandbox

if TYPE_CHECKING:
    import pyarrow as pa

FEED_DELAY = dt.timedelta(minutes=15)
CORRECTED_SESSION_NIGHT, CORRECTION_NIGHT = 2, 5
_NASDAQ_START = 13_000.0
_NAMES_A_ROUND = 16  # of a market with many incidents: for each so many names one more death, rename, listing, spin-off


class NoMinutes(LookupError):
    """Minute bars exist for the last sessions of history and the coming nights only."""


@dataclass(frozen=True)
class Correction:
    """A day bar that was first published wrong: until `published_at`, close and high stand `factor` too high."""

    session: int
    company: int
    factor: float
    published_at: dt.datetime


@dataclass(frozen=True)
class Outline:
    """What can be said of a market without making it: when it is open, and of which sessions it has what."""

    settings: Settings
    sessions: tuple[dt.date, ...]
    base: int  # index of the last session before night 0 ends

    @cached_property
    def closes_at(self) -> tuple[dt.datetime, ...]:
        return tuple(calendars.close_at(session) for session in self.sessions)

    @property
    def by_minute(self) -> list[int]:
        """Sessions that have minute bars."""
        return _minute_numbers(self.settings.sandbox, self.sessions, self.base)

    def latest(self, now: dt.datetime, delay: dt.timedelta = FEED_DELAY) -> int:
        """Index of the newest session whose day bar is out; -1 before the first."""
        return sum(1 for closed in self.closes_at if closed + delay <= now) - 1


@dataclass(frozen=True)
class Market(Outline):
    """Columns are companies in the cast's order; sessions are indices into `sessions`."""

    cast: tuple[cast.Company, ...]
    traits: cast.Traits
    splits: tuple[actions.Split, ...]
    dividends: tuple[actions.Dividend, ...]
    noise: equities.Noise
    days: equities.Days
    bars: bars.Bars
    minutes: dict[int, minutes.Minutes]
    correction: Correction | None
    incidents: incidents.Incidents
    bodies: dict[object, bytes] = field(default_factory=dict)  # of what never changes, kept once built

    def night_now(self, k: int) -> dt.datetime:
        return clock.night_now(self.settings, k)

    @cached_property
    def index_of(self) -> dict[dt.date, int]:
        return {session: number for number, session in enumerate(self.sessions)}

    @cached_property
    def mood(self) -> np.ndarray:
        """By session: how far the crowd leans to calls against puts, as a slow wave."""
        shocks = stream(self.settings.seed, "mood").normal(0.0, 0.10, len(self.sessions))
        mood = np.zeros(len(self.sessions))
        for s in range(1, len(mood)):
            mood[s] = 0.95 * mood[s - 1] + shocks[s]
        return mood

    @cached_property
    def index_days(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Opens and closes of the index under each root of futures: NQ's moves more, and a little on its own."""
        own = stream(self.settings.seed, "nasdaq").normal(0.0, 0.003, self.noise.index_moves.shape)
        path = np.cumprod(1 + (1.2 * self.noise.index_moves + own).reshape(-1)) * _NASDAQ_START
        return {"ES": (self.days.index_open, self.days.index_close), "NQ": (path[0::2], path[1::2])}

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


def _minute_numbers(sizes: Sandbox, sessions: Sequence[dt.date], base: int) -> list[int]:
    """Sessions that have minute bars: the last of history, the odd days of its last year, and every night to come."""
    recent = range(max(0, base + 1 - sizes.minute_sessions), len(sessions))
    odd = incidents.odd_days(sessions, base) if sizes.incidents == "many" else ()
    return sorted({*recent, *odd})


def outline(settings: Settings) -> Outline:
    return Outline(settings, clock.all_sessions(settings), settings.sandbox.sessions - 1)


def generate(settings: Settings) -> Market:
    """Make the market of this seed and these sizes, coming nights included. Same settings, same market."""
    seed, sizes, known = settings.seed, settings.sandbox, outline(settings)
    sessions, base = known.sessions, known.base
    many = sizes.incidents == "many"
    rounds = max(1, sizes.names // _NAMES_A_ROUND) if many else 1
    companies = cast.make_cast(sizes.names, sessions[: base + 1], rounds=rounds)
    traits = cast.make_traits(seed, companies, rounds=rounds)
    splits = actions.make_splits(companies, sessions, base, rounds=rounds)
    dividends = actions.make_dividends(companies, traits, splits, len(sessions) - 1)
    noise = equities.make_noise(seed, companies, traits, len(sessions))
    days = equities.make_days(companies, traits, noise, signal.strength(settings), splits, dividends)
    shares = volume.make_volume(seed, traits, noise, days)
    drawn = bars.draw_bars(seed, noise, days, shares)
    numbers = known.by_minute
    befallen = incidents.make_incidents(seed, companies, sessions, base, numbers) if many else incidents.Incidents()
    by_minute = {
        s: incidents.halted(
            minutes.make_minutes(
                seed, s - base if s >= base else 100_000 + s - base, _minute_count(sessions[s]), drawn.open[s],
                drawn.close[s], noise.day_vol[s], shares[s],
            ),
            [halt for halt in befallen.halts if halt.session == s],
        )
        for s in numbers
    }  # fmt: skip
    correction = None
    if base + CORRECTION_NIGHT < len(sessions):
        known = calendars.close_at(sessions[base + CORRECTION_NIGHT]) + dt.timedelta(hours=3)
        correction = Correction(base + CORRECTED_SESSION_NIGHT, 1, 1.012, known)
    return Market(
        settings, sessions, base, companies, traits, splits, dividends, noise, days, bars.add_up(drawn, by_minute),
        by_minute, correction, befallen,
    )
