"""The tape of one root's trade date, ES or NQ: the quarterly contract in front, and a little of the next one."""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from pipelines import calendars
from pipelines.sandbox.chance import stream
from pipelines.sandbox.market import Market, Outline
from pipelines.sandbox.options import dealers_gamma

TICK = 0.25
_CENTS = 10**9
_FRONT_TRADES, _BACK_TRADES, _AUCTION_TRADES = 3_900, 100, 4
_STEP = 0.00012  # deviation of the log price from trade to trade
_DAMPED = 0.4  # part of it that dealers who are long all gamma take away, or add when they are short
_FIRST_NUMBER = {"ES": 140_000, "NQ": 240_000}
_PURPOSE = {"ES": "futures", "NQ": "futures NQ"}
_MONTHS = {3: "H", 6: "M", 9: "U", 12: "Z"}
CHICAGO = ZoneInfo("America/Chicago")

# The vendor's trade record, byte for byte (its header's length counts words of four bytes).
RECORD = np.dtype(
    [
        ("length", "u1"), ("rtype", "u1"), ("publisher_id", "<u2"), ("instrument_id", "<u4"), ("ts_event", "<u8"),
        ("price", "<i8"), ("size", "<u4"), ("action", "S1"), ("side", "S1"), ("flags", "u1"), ("depth", "u1"),
        ("ts_recv", "<u8"), ("ts_in_delta", "<i4"), ("sequence", "<u4"),
    ]
)  # fmt: skip


Tape = tuple[np.ndarray, np.ndarray, np.ndarray]  # moments, prices, sides


@dataclass(frozen=True)
class Contract:
    symbol: str
    instrument_id: int
    expiry: dt.date


def contracts_on(session: dt.date, root: str = "ES") -> tuple[Contract, ...]:
    """The front contract, the next, and from eight days before it expires, a third Friday, the one that gave way."""
    found: list[Contract] = []
    leaving: tuple[Contract, ...] = ()
    for quarter in range(6):
        month = 3 * ((session.month - 1) // 3 + 1 + quarter)
        year, month = session.year + (month - 1) // 12, (month - 1) % 12 + 1
        first = dt.date(year, month, 1)
        expiry = first + dt.timedelta(days=(4 - first.weekday()) % 7 + 14)
        number = _FIRST_NUMBER[root] + year % 100 * 100 + month
        contract = Contract(f"{root}{_MONTHS[month]}{year % 10}", number, expiry)
        if session < expiry - dt.timedelta(days=8):
            found.append(contract)
        elif session <= expiry:
            leaving = (contract,)
    return found[0], found[1], *leaving


def tick_sessions(market: Outline) -> range:
    """Sessions that have trades, all in a row: what is made of minutes holds every minute from first to last."""
    return range(max(1, market.base + 1 - market.settings.sandbox.tick_sessions), len(market.sessions))


def bounds(market: Market, number: int) -> tuple[dt.datetime, dt.datetime]:
    """A trade date runs from 17:00 Chicago of the evening before to 16:00, or 15 minutes after an early close."""
    session = market.sessions[number]
    evening = session - dt.timedelta(days=1)
    begins = dt.datetime(evening.year, evening.month, evening.day, 17, tzinfo=CHICAGO)
    ends = dt.datetime(session.year, session.month, session.day, 16, tzinfo=CHICAGO)
    closed = market.closes_at[number]
    if ends - closed > dt.timedelta(hours=2):
        ends = closed + dt.timedelta(minutes=15)
    return begins.astimezone(dt.UTC), ends.astimezone(dt.UTC)


def nanoseconds(moment: dt.datetime) -> int:
    return int(moment.timestamp()) * 10**9 + moment.microsecond * 1000


def make_trades(market: Market, number: int, root: str = "ES") -> np.ndarray:
    """Trades of one trade date in order of receipt; they pass the index's own open and close, a little above it.

    With many incidents dealers' hedges calm or stir the way between, a contract that gave way still trades until it
    expires, and one print in two sessions is far off the market.
    """
    rng = stream(market.settings.seed, _PURPOSE[root], number - market.base + 100_000)
    many = market.settings.sandbox.incidents == "many"
    begins, ends = (nanoseconds(moment) for moment in bounds(market, number))
    opened = nanoseconds(calendars.open_at(market.sessions[number]))
    closed = nanoseconds(market.closes_at[number])
    front, back, *leaving = contracts_on(market.sessions[number], root)
    # A sixth of the trades overnight, the rest by day and thickest at both ends of it.
    day = opened + (rng.beta(0.7, 0.7, round(_FRONT_TRADES * 0.82)) * (closed - opened)).astype(np.int64)
    night = begins + (rng.random(_FRONT_TRADES - len(day)) * (opened - begins)).astype(np.int64)
    moments = np.sort(np.concatenate([day, night]))
    moments = np.minimum(moments, ends - 1)
    moments[:_AUCTION_TRADES] = begins + 1_000_000 * np.arange(1, _AUCTION_TRADES + 1)  # the opening auction

    index_open, index_close = market.index_days[root]
    anchors = np.array([index_close[number - 1], index_open[number], index_close[number]])
    line = np.interp(moments, [begins, opened, closed], np.log(anchors * 1.004))
    steps = np.cumsum(rng.normal(0.0, _STEP, len(moments)))
    steps = steps * (1 - _DAMPED * dealers_gamma(market, number)) if many else steps
    at = np.searchsorted(moments, [begins, opened, closed]).clip(0, len(moments) - 1)
    bridge = steps - np.interp(np.arange(len(moments)), at, steps[at])
    price = np.round(np.exp(line + bridge) / TICK) * TICK
    up = np.sign(np.diff(price, prepend=price[0]))
    buyer = rng.random(len(moments)) < 0.5 + 0.22 * up
    side = np.where(buyer, b"B", b"A").astype("S1")
    side[:_AUCTION_TRADES] = b"N"
    # The next contract prints now and then, a quarter's carry higher.
    which = np.sort(rng.choice(np.arange(_AUCTION_TRADES, len(moments)), _BACK_TRADES, replace=False))
    late = moments[which] + 1 + rng.integers(0, 1_000_000, len(which))
    prints = [(front, moments, price, side), (back, late, np.round((price[which] * 1.009) / TICK) * TICK, side[which])]
    if many:
        prints += _odd_prints(rng, front, leaving, (moments, price, side), market.sessions[number])

    trades = np.zeros(sum(len(part) for _, part, _, _ in prints), RECORD)
    trades["instrument_id"] = np.repeat([one.instrument_id for one, *_ in prints], [len(part[1]) for part in prints])
    trades["ts_event"] = np.concatenate([part[1] for part in prints])
    ticks = np.concatenate([part[2] for part in prints]) / TICK
    trades["price"] = ticks.astype(np.int64) * (_CENTS // 4)
    trades["side"] = np.concatenate([part[3] for part in prints])
    trades["size"] = rng.geometric(0.35, len(trades))
    trades = trades[np.argsort(trades["ts_event"], kind="stable")]
    delay = rng.integers(40_000, 220_000, len(trades))
    trades["ts_in_delta"] = delay // 3
    trades["ts_recv"] = np.maximum.accumulate(trades["ts_event"] + delay.astype(np.uint64))
    trades["sequence"] = 1_000 + np.cumsum(rng.integers(1, 40, len(trades)))
    trades["length"], trades["publisher_id"], trades["action"] = RECORD.itemsize // 4, 1, b"T"
    trades["flags"] = 128
    return trades


def _odd_prints(
    rng: np.random.Generator, front: Contract, leaving: list[Contract], tape: Tape, session: dt.date
) -> list[tuple[Contract, np.ndarray, np.ndarray, np.ndarray]]:
    """What a contract on its last days still trades, fewer each day, and in every second session one print three per
    cent off that nobody stands for."""
    moments, price, side = tape
    found = []
    for contract in leaving:
        count = 60 * (1 + (contract.expiry - session).days)
        which = np.sort(rng.choice(np.arange(_AUCTION_TRADES, len(moments)), count, replace=False))
        found.append((contract, moments[which] + 7, np.round(price[which] * 0.991 / TICK) * TICK, side[which]))
    if rng.random() < 0.5:
        at = rng.integers(len(moments) // 4, len(moments), 1)
        found.append((front, moments[at] + 3, np.round(price[at] * 0.97 / TICK) * TICK, np.array([b"N"])))
    return found
