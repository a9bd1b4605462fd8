"""The companies: who lives how long, under which ticker, in which sector, and what their shares are like."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.sandbox.chance import stream

# Invented, so that nobody takes a figure for a real company's.
_INVENTED = (
    "Aldermoor ALDM,Brackwater BRKW,Cindral CNDL,Dovecrest DVCR,Elmhollow ELMH,Farrowdale FRWD,Glaskirk GLSK,"
    "Harrowgate HRWG,Inverlock INVL,Juniper Quay JNQY,Kestrelby KSTB,Larkspur LRKS,Mossfield MSFD,Northwick NRWK,"
    "Oakenshaw OKSH,Pellbrook PLBK,Quillon QLLN,Ravensmere RVSM,Stonewold STWD,Thistledown THDN,Umberleigh UMBL,"
    "Vellacott VLCT,Wrenfield WRNF,Yarrowby YRWB"
)
_SECTOR_SIZE = 4
_APART = 9  # companies from one rename to the next


@dataclass(frozen=True)
class Company:
    """One legal person. Session indices are inclusive; `tickers` are (first session index, ticker), oldest first."""

    figi: str
    cik: str
    name: str
    sector: int
    exchange: str
    list_date: dt.date
    first: int
    last: int | None  # last session traded, None while alive
    tickers: tuple[tuple[int, str], ...]

    def trades_on(self, session_index: int) -> bool:
        return self.first <= session_index and (self.last is None or session_index <= self.last)

    def ticker_on(self, session_index: int) -> str:
        """The symbol in force: the newest not later than that session (the first one before it was listed)."""
        return [ticker for start, ticker in self.tickers if start <= session_index or start == self.first][-1]


@dataclass(frozen=True)
class Traits:
    """Per company, aligned with the cast: what its price process is made of."""

    beta: np.ndarray
    idio_vol: np.ndarray  # daily
    sector_vol: np.ndarray
    adv_usd: np.ndarray
    start_price: np.ndarray
    dividend_yield: np.ndarray  # a year; 0 pays none


def _titles(count: int) -> list[tuple[str, str]]:
    titles = [(f"{text.rsplit(' ', 1)[0]} Corp", text.rsplit(" ", 1)[1]) for text in _INVENTED.split(",")]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    for number in range(count - len(titles)):
        code = "Z" + letters[number // 676] + letters[number // 26 % 26] + letters[number % 26]
        titles.append((f"Sandbox {code.title()} Inc", code))
    return titles


def _founded(number: int) -> dt.date:
    return dt.date(2009 + number % 9, 1 + number % 12, 1 + number % 27)


def make_cast(names: int, base_sessions: Sequence[dt.date], *, rounds: int = 1) -> tuple[Company, ...]:
    """`names` companies that are alive at the end, and `rounds` that are not, last in the row.

    The second changed its ticker. The last living one was listed late, under the ticker that the first dead one left
    behind. More rounds: each has one more death, one more rename and one more late listing; of the tickers of the dead
    every second one comes to another company.
    """
    count = len(base_sessions)
    titles = _titles(names + 3 * rounds)
    companies = []
    for number in range(names + rounds):
        name, ticker = titles[number]
        first, last, tickers = 0, None, ((0, ticker),)
        after = number // _APART if number % _APART == 1 else rounds  # which round's rename this is, if any
        if after < rounds and number < names - rounds:
            renamed = round(count * _spread(0.45, after, rounds))
            name, newer = titles[names + rounds + 2 * after]  # the vendor shows the newest name
            tickers = ((0, ticker), (renamed, newer))
        elif names - rounds <= number < names:
            after = names - 1 - number
            first = round(count * _spread(0.55, after, rounds))
            name, fresh = titles[names + rounds + 2 * after + 1]
            tickers = ((first, fresh if after % 2 else titles[names + after][1]),)
        elif number >= names:
            last = round(count * _spread(0.30, number - names, rounds))
        companies.append(
            Company(
                figi=f"BBG0SBX{number:05d}",
                cik=f"{1900000 + 37 * number:010d}",
                name=name,
                # The first dead sat in the first sector, so that the living fill their sectors evenly.
                sector=number % names % sector_count(names),
                exchange="XNAS" if number % 3 == 0 else "XNYS",
                list_date=base_sessions[first] if first else _founded(number),
                first=first,
                last=last,
                tickers=tickers,
            )
        )
    return tuple(companies)


def _spread(first: float, after: int, rounds: int) -> float:
    """The part of history after which this round's event comes: the first round's at `first`, the others later."""
    return first + (0.97 - first) * after / rounds


def sector_count(names: int) -> int:
    return max(2, min(11, names // _SECTOR_SIZE))


def make_traits(seed: int, cast: Sequence[Company], *, rounds: int = 1) -> Traits:
    """Shares liquid enough that ten million dollars of capital meet no limit, in prices from tens to hundreds."""
    rng = stream(seed, "traits")
    count = len(cast)
    start = np.round(np.exp(rng.uniform(np.log(45.0), np.log(240.0), count)), 2)
    start[2 % count] = 380.0  # will split forward
    start[3 % count] = 14.0  # will split in reverse
    for more in range(1, rounds):
        start[10 * more + 4], start[10 * more + 6] = 320.0, 8.0
    yields = np.where(rng.random(count) < 0.6, rng.uniform(0.008, 0.035, count), 0.0)
    return Traits(
        beta=rng.uniform(0.75, 1.25, count),
        idio_vol=rng.uniform(0.012, 0.017, count),
        sector_vol=np.full(count, 0.010),
        adv_usd=np.exp(rng.uniform(np.log(90e6), np.log(400e6), count)),
        start_price=start,
        dividend_yield=yields,
    )
