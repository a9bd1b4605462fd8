"""What befalls a tape beyond its prices: halts, days without a trade, bad prints, and the days when clocks are odd."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from pipelines import calendars
from pipelines.sandbox.cast import Company
from pipelines.sandbox.chance import stream
from pipelines.sandbox.minutes import Minutes

BAD_PRINT_NIGHT = 4  # the night that shows it; the evening after it is taken back
_OFF = 0.1  # a bad print's price, of the day's open
_YEAR = 252
_NEW_YORK = ZoneInfo("America/New_York")


@dataclass(frozen=True)
class Halt:
    """No trade of `company` for `minutes` from the minute `begins` on; the next is where the price went meanwhile."""

    session: int
    company: int
    begins: int
    minutes: int


@dataclass(frozen=True)
class BadPrint:
    """A trade at a tenth of the day's open. The day's low and its minute's show it until the vendor takes it back."""

    session: int
    company: int
    minute: int  # the first one from there on in which there was a trade
    withdrawn_at: dt.datetime | None  # None: it stands to this day


@dataclass(frozen=True)
class Incidents:
    halts: tuple[Halt, ...] = ()
    bad_prints: tuple[BadPrint, ...] = ()
    silent: frozenset[tuple[int, int]] = frozenset()  # (session, company): halted all day, so without a bar

    def shown(self, session: int, now: dt.datetime) -> tuple[BadPrint, ...]:
        """The bad prints in what is published of a session by `now`."""
        return tuple(
            one for one in self.bad_prints
            if one.session == session and (one.withdrawn_at is None or now < one.withdrawn_at)
        )  # fmt: skip


def odd_days(sessions: Sequence[dt.date], base: int) -> list[int]:
    """Of the year before the base session: those that end early, and the last and first ones around a change of clocks,
    so that a small window of minutes still holds every kind of day."""
    found = set()
    for number in range(max(1, base - _YEAR), base + 1):
        today, before = (calendars.open_at(sessions[at]).astimezone(_NEW_YORK) for at in (number, number - 1))
        if today.utcoffset() != before.utcoffset():
            found |= {number - 1, number}
        if calendars.close_at(sessions[number]).astimezone(_NEW_YORK).hour < 16:
            found.add(number)
    return sorted(found)


def make_incidents(
    seed: int, cast: Sequence[Company], sessions: Sequence[dt.date], base: int, by_minute: Sequence[int]
) -> Incidents:
    """One halt in the base session and in every second one with minutes; one silent day and one bad print that is never
    taken back in each year before; and one bad print to come that is."""
    rng, minutes = stream(seed, "incidents"), set(by_minute)
    halts, silent, prints = [], set(), []
    for number in sorted(minutes):
        alive = [company for company in range(len(cast)) if cast[company].trades_on(number)]
        who, begins, lasts, happens = (int(x) for x in rng.integers([0, 20, 10, 0], [len(alive), 110, 76, 2]))
        if happens or number == base:
            halts.append(Halt(number, alive[who], begins, lasts))
    settled = [company for company in range(len(cast)) if cast[company].first == 0 and cast[company].last is None]
    for year in range(0, base - _YEAR // 4, _YEAR):
        quiet, printed = (int(x) for x in year + rng.integers(30, _YEAR - 30, 2))
        who, whom = (settled[int(x)] for x in rng.integers(len(settled), size=2))
        if quiet < base - 5 and quiet not in minutes:
            silent.add((quiet, who))
        if printed < base - 5 and printed not in minutes and (printed, whom) not in silent:
            prints.append(BadPrint(printed, whom, 0, None))
    if base + BAD_PRINT_NIGHT + 1 < len(sessions):
        known = calendars.close_at(sessions[base + BAD_PRINT_NIGHT + 1]) + dt.timedelta(hours=3)
        prints.append(BadPrint(base + BAD_PRINT_NIGHT, settled[-1], 200, known))
    return Incidents(tuple(halts), tuple(prints), frozenset(silent))


def halted(parts: Minutes, halts: Sequence[Halt]) -> Minutes:
    """The same minutes without those of the halts. Never the first or the last: both auctions took place."""
    traded, volume, trades = parts.traded.copy(), parts.volume.copy(), parts.trades.copy()
    for halt in halts:
        span = slice(halt.begins, min(halt.begins + halt.minutes, traded.shape[1] - 1))
        for column in (traded, volume, trades):
            column[halt.company, span] = 0
    return replace(parts, traded=traded, volume=volume, trades=trades) if halts else parts


def published_low(low: float, opened: float, shown: Sequence[BadPrint], company: int) -> float:
    """A day's low as it is told: the true one, or the bad print's."""
    return round(opened * _OFF, 2) if any(one.company == company for one in shown) else low
