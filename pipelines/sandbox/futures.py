"""The ES tape of one trade date: the quarterly contract in front, and a little of the next one."""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from pipelines import calendars
from pipelines.sandbox.chance import stream
from pipelines.sandbox.market import Market

TICK = 0.25
_CENTS = 10**9
_FRONT_TRADES, _BACK_TRADES, _AUCTION_TRADES = 3_900, 100, 4
_MONTHS = {3: "H", 6: "M", 9: "U", 12: "Z"}
_CHICAGO = ZoneInfo("America/Chicago")

# The vendor's trade record, byte for byte (its header's length counts words of four bytes).
RECORD = np.dtype(
    [
        ("length", "u1"), ("rtype", "u1"), ("publisher_id", "<u2"), ("instrument_id", "<u4"), ("ts_event", "<u8"),
        ("price", "<i8"), ("size", "<u4"), ("action", "S1"), ("side", "S1"), ("flags", "u1"), ("depth", "u1"),
        ("ts_recv", "<u8"), ("ts_in_delta", "<i4"), ("sequence", "<u4"),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Contract:
    symbol: str
    instrument_id: int
    expiry: dt.date


def contracts_on(session: dt.date) -> tuple[Contract, Contract]:
    """The front contract and the next: the front gives way eight days before it expires, a third Friday."""
    found = []
    for quarter in range(6):
        month = 3 * ((session.month - 1) // 3 + 1 + quarter)
        year, month = session.year + (month - 1) // 12, (month - 1) % 12 + 1
        first = dt.date(year, month, 1)
        expiry = first + dt.timedelta(days=(4 - first.weekday()) % 7 + 14)
        if session < expiry - dt.timedelta(days=8):
            found.append(Contract(f"ES{_MONTHS[month]}{year % 10}", 140_000 + year % 100 * 100 + month, expiry))
    return found[0], found[1]


def tick_sessions(market: Market) -> range:
    return range(max(1, market.base + 1 - market.settings.sandbox.tick_sessions), len(market.sessions))


def bounds(market: Market, number: int) -> tuple[dt.datetime, dt.datetime]:
    """A trade date runs from 17:00 Chicago of the evening before to 16:00, or 15 minutes after an early close."""
    session = market.sessions[number]
    evening = session - dt.timedelta(days=1)
    begins = dt.datetime(evening.year, evening.month, evening.day, 17, tzinfo=_CHICAGO)
    ends = dt.datetime(session.year, session.month, session.day, 16, tzinfo=_CHICAGO)
    closed = market.closes_at[number]
    if ends - closed > dt.timedelta(hours=2):
        ends = closed + dt.timedelta(minutes=15)
    return begins.astimezone(dt.UTC), ends.astimezone(dt.UTC)


def nanoseconds(moment: dt.datetime) -> int:
    return int(moment.timestamp()) * 10**9 + moment.microsecond * 1000


def make_trades(market: Market, number: int) -> np.ndarray:
    """Trades of one trade date in order of receipt; they pass the index's own open and close, a little above it."""
    rng = stream(market.settings.seed, "futures", number - market.base + 100_000)
    begins, ends = (nanoseconds(moment) for moment in bounds(market, number))
    opened = nanoseconds(calendars.open_at(market.sessions[number]))
    closed = nanoseconds(market.closes_at[number])
    front, back = contracts_on(market.sessions[number])
    # A sixth of the trades overnight, the rest by day and thickest at both ends of it.
    day = opened + (rng.beta(0.7, 0.7, round(_FRONT_TRADES * 0.82)) * (closed - opened)).astype(np.int64)
    night = begins + (rng.random(_FRONT_TRADES - len(day)) * (opened - begins)).astype(np.int64)
    moments = np.sort(np.concatenate([day, night]))
    moments = np.minimum(moments, ends - 1)
    moments[:_AUCTION_TRADES] = begins + 1_000_000 * np.arange(1, _AUCTION_TRADES + 1)  # the opening auction

    index = market.days
    anchors = np.array([index.index_close[number - 1], index.index_open[number], index.index_close[number]])
    line = np.interp(moments, [begins, opened, closed], np.log(anchors * 1.004))
    steps = np.cumsum(rng.normal(0.0, 0.00012, len(moments)))
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

    trades = np.zeros(len(moments) + len(which), RECORD)
    trades["instrument_id"] = np.repeat([front.instrument_id, back.instrument_id], [len(moments), len(which)])
    trades["ts_event"] = np.concatenate([moments, late])
    ticks = np.concatenate([price, np.round((price[which] * 1.009) / TICK) * TICK]) / TICK
    trades["price"] = ticks.astype(np.int64) * (_CENTS // 4)
    trades["side"] = np.concatenate([side, side[which]])
    trades["size"] = rng.geometric(0.35, len(trades))
    trades = trades[np.argsort(trades["ts_event"], kind="stable")]
    delay = rng.integers(40_000, 220_000, len(trades))
    trades["ts_in_delta"] = delay // 3
    trades["ts_recv"] = np.maximum.accumulate(trades["ts_event"] + delay.astype(np.uint64))
    trades["sequence"] = 1_000 + np.cumsum(rng.integers(1, 40, len(trades)))
    trades["length"], trades["publisher_id"], trades["action"] = RECORD.itemsize // 4, 1, b"T"
    trades["flags"] = 128
    return trades
