"""What single prints betray: the way of ticks, sizes that institutions trade, orders that hide behind small ones."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

LARGE_LOTS = 100  # a print above it is taken for an institution's
BLOCK_LOTS = 500  # and one of so much for a block
# An order that shows a little and refills: so many prints in a row at one price against one side, none of them large,
# that together are.
HIDDEN_PRINTS, HIDDEN_LOTS = 5, 100
MINUTE_US = 60_000_000


def in_order(trades: pa.Table) -> pa.Table:
    """Each contract's prints as the venue matched them."""
    return trades.sort_by([(name, "ascending") for name in ("symbol", "ts_event", "sequence", "print_no")])


def minute_us(trades: pa.Table) -> Ints:
    """Start of each print's minute, microseconds since 1970."""
    micros: Ints = trades.column("ts_event").cast(pa.int64()).to_numpy()
    return micros - micros % MINUTE_US


def starts(trades: pa.Table) -> Flags:
    """Which prints are the first of their contract's session; prints in order."""
    symbol = trades.column("symbol").combine_chunks().dictionary_encode().indices.to_numpy()
    session = trades.column("session").cast(pa.int32()).to_numpy()
    if not len(symbol):
        return np.zeros(0, dtype=bool)
    first: Flags = np.r_[True, (session[1:] != session[:-1]) | (symbol[1:] != symbol[:-1])]
    return first


def _carried(ticks: Ints, first: Flags) -> Ints:
    """The last tick that was one, up to each print of the session; 0 before any."""
    place = np.arange(len(ticks))
    told = np.maximum.accumulate(np.where((ticks != 0) | first, place, 0))
    return ticks[told]


def ticks(trades: pa.Table) -> tuple[Ints, Flags]:
    """+1, −1 or 0 against the print before, and whether the direction turned with it; prints in order."""
    price = trades.column("price").to_numpy()
    first = starts(trades)
    moved = np.sign(np.diff(price, prepend=price[:1])).astype(np.int64)
    moved[first] = 0
    carried = _carried(moved, first)
    before = np.roll(carried, 1)
    before[first] = 0
    return moved, (moved * before) < 0


def hidden(trades: pa.Table) -> Flags:
    """Prints that seem to eat one hidden order. A run ends with its minute, so that no minute waits for the next."""
    size, price = trades.column("size").to_numpy(), trades.column("price").to_numpy()
    side = trades.column("side").to_numpy(zero_copy_only=False)
    if not len(size):
        return np.zeros(0, dtype=bool)
    minute = minute_us(trades)
    breaks = starts(trades)
    breaks[1:] |= (minute[1:] != minute[:-1]) | (price[1:] != price[:-1]) | (side[1:] != side[:-1])
    begins = np.flatnonzero(breaks)
    run = np.cumsum(breaks) - 1
    count = np.diff(np.r_[begins, len(size)])
    total, most = np.add.reduceat(size, begins), np.maximum.reduceat(size, begins)
    telling: Flags = (count >= HIDDEN_PRINTS) & (total >= HIDDEN_LOTS) & (most <= LARGE_LOTS)
    seen: Flags = telling[run] & (side != "N")
    return seen


def betrayed(trades: pa.Table) -> dict[str, Ints]:
    """What adds up over prints, each of them its share; prints in order."""
    size = trades.column("size").to_numpy().astype(np.int64)
    side = trades.column("side").to_numpy(zero_copy_only=False)
    tick, turned = ticks(trades)
    large, unseen = size > LARGE_LOTS, hidden(trades)
    return {
        "large_buy_volume": np.where(large & (side == "B"), size, 0),
        "large_sell_volume": np.where(large & (side == "A"), size, 0),
        # A hidden buyer is hit by sellers.
        "hidden_bid_volume": np.where(unseen & (side == "A"), size, 0),
        "hidden_ask_volume": np.where(unseen & (side == "B"), size, 0),
        "up_ticks": (tick > 0).astype(np.int64), "down_ticks": (tick < 0).astype(np.int64),
        "reversals": turned.astype(np.int64),
    }  # fmt: skip


BETRAYED = ("large_buy_volume", "large_sell_volume", "hidden_bid_volume", "hidden_ask_volume", "up_ticks", "down_ticks",
            "reversals")  # fmt: skip
