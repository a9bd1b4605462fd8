"""Splits and dividends: what happens, when it takes effect, and from when on the vendor shows it."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines import calendars
from pipelines.sandbox.cast import Company, Traits

LATE_SPLIT_EX_NIGHT, LATE_SPLIT_SEEN_NIGHT = 1, 3
_SPLIT_NOTICE, _DIVIDEND_NOTICE = 10, 15  # sessions between announcement and ex-date
_QUARTER = 63


@dataclass(frozen=True)
class Split:
    company: int
    ex: int  # session index
    split_from: int
    split_to: int
    published_at: dt.datetime


@dataclass(frozen=True)
class Dividend:
    """The amount is set at the declaration, from the price of that day."""

    company: int
    ex: int
    declared: int
    share_of_price: float


def _evening(session: dt.date) -> dt.datetime:
    """When a company's announcement of that day reaches the vendor."""
    return calendars.close_at(session) + dt.timedelta(hours=1)


def make_splits(
    cast: Sequence[Company], sessions: Sequence[dt.date], base: int, *, rounds: int = 1
) -> tuple[Split, ...]:
    """Three ordinary splits in the past, and one that the vendor learns of days after it took effect. More rounds have
    more, and spin-offs, which the vendor tells as splits of odd ratios."""
    living = len(cast) - 2 * rounds  # neither the late listings nor the dead
    plan = [(2, 0.20, 1, 4), (5, 0.70, 1, 2), (3, 0.60, 5, 1)]
    for more in range(1, rounds):
        where = 0.10 + 0.85 * more / rounds
        plan += [(10 * more + 4, where, 1, 3), (10 * more + 6, where - 0.03, 10, 1), (10 * more + 8, where, 1000, 1281)]
    splits = []
    for company, where, split_from, split_to in plan:
        ex = max(_SPLIT_NOTICE, round(base * where))
        splits.append(Split(company % living, ex, split_from, split_to, _evening(sessions[ex - _SPLIT_NOTICE])))
    ex, seen = base + LATE_SPLIT_EX_NIGHT, base + LATE_SPLIT_SEEN_NIGHT
    if seen < len(sessions):
        splits.append(Split(0, ex, 1, 2, _evening(sessions[seen])))
    return tuple(splits)


def make_dividends(
    cast: Sequence[Company], traits: Traits, splits: Sequence[Split], last: int
) -> tuple[Dividend, ...]:
    """A quarterly dividend of every payer, never near one of its splits and not in a listing's first quarter."""
    dividends = []
    for number, company in enumerate(cast):
        share = float(traits.dividend_yield[number]) / 4
        if not share:
            continue
        for ex in range(20 + (11 * number) % _QUARTER, last + 1, _QUARTER):
            near_split = any(s.company == number and abs(s.ex - ex) <= _DIVIDEND_NOTICE + 5 for s in splits)
            if company.first + _DIVIDEND_NOTICE < ex and company.trades_on(ex) and not near_split:
                dividends.append(Dividend(number, ex, ex - _DIVIDEND_NOTICE, share))
    return tuple(dividends)
