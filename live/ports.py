"""What the engine asks of the world: a feed, a venue, a clock, a source of bundles. Adapters and fakes answer."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

VenueState = Literal["OPEN", "FILLED", "CANCELLED", "REJECTED"]


class Bar(NamedTuple):
    """One minute of one name, raw prices. It is known when the minute is over, at `start_us` + 60 s."""

    instrument_id: str
    start_us: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class Columns(NamedTuple):
    """A session's bars in the order of their start, as arrays; `which` is each bar's place in `names`."""

    names: tuple[str, ...]
    which: NDArray[np.int64]
    start_us: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]


class Quiet(NamedTuple):
    """Said by feeds in real time when nothing came: every bar that began before `until_us` is in, or will not come."""

    until_us: int


class Action(NamedTuple):
    """A split (`amount` new shares for one old) or a cash dividend (`amount` a share), known before the session."""

    instrument_id: str
    ex_date: dt.date
    kind: Literal["split", "dividend"]
    amount: float


class Order(NamedTuple):
    """What the venue is sent. `limit_price` bounds the fill; `quantity` is signed, in shares.

    Kinds: `open` fills at the name's opening print, `market` from the next bar's open on, `limit` rests at its price;
    `guard` rests too, and ends a position at its stop or at its target, whichever comes first."""

    order_id: str
    instrument_id: str
    quantity: int
    limit_price: float | None
    reduce_only: bool = False  # sent at any time, filled from the next bar on
    kind: Literal["open", "market", "limit", "guard"] = "open"
    stop_price: float | None = None
    target_price: float | None = None

    @property
    def terms(self) -> dict[str, Any]:
        """What an intent says beyond quantity and limit, where it is not the ordinary."""
        told: dict[str, Any] = {"reduce_only": True} if self.reduce_only else {}
        if self.kind != "open":
            told["kind"] = self.kind
        if self.stop_price is not None:
            told["stop_price"] = self.stop_price
        if self.target_price is not None:
            told["target_price"] = self.target_price
        return told

    def allows(self, price: float) -> bool:
        """A buyer pays at most, a seller takes at least, the order's limit."""
        if self.limit_price is None:
            return True
        return price <= self.limit_price if self.quantity > 0 else price >= self.limit_price


class Ack(NamedTuple):
    order_id: str
    accepted: bool
    reason: str = ""


class Fill(NamedTuple):
    """Signed shares at a raw price; `costs` are the named parts of `cost`, in dollars."""

    order_id: str
    instrument_id: str
    at_us: int
    quantity: int
    price: float
    cost: float
    costs: dict[str, float]


@dataclass(frozen=True, slots=True)
class Standing:
    """How an order stands at its venue, told from its beginning: hearing it twice changes nothing."""

    order_id: str
    instrument_id: str
    quantity: int
    state: VenueState
    filled: int = 0  # signed, as `quantity` is
    average_price: float = 0.0
    fees_usd: float = 0.0
    at_us: int = 0  # of the newest fill
    reason: str = ""


class Charge(NamedTuple):
    """Dollars that a venue booked by itself, a fee (negative) or interest, under an id of its own."""

    charge_id: str
    kind: str
    usd: float


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a venue says the account has: dollars, shares by instrument, orders that may fill, and its own charges."""

    cash_usd: float
    shares: Mapping[str, float]  # a part of a share is not ours, and shows as a difference
    working: Sequence[Standing]
    charges: Sequence[Charge] = ()


class Clock(Protocol):
    def now(self) -> dt.datetime: ...


class Feed(Protocol):
    """Bars of a session in the order of their start, and the actions that were known before its open. A tape has them
    all at once; a feed in real time hands each out when it is over, and says every moment that it is still there."""

    def sessions(self) -> Sequence[dt.date]: ...

    def actions(self, session: dt.date) -> Sequence[Action]: ...

    def bars(self, session: dt.date) -> Iterator[Bar | Quiet]: ...


@runtime_checkable
class Recorded(Feed, Protocol):
    """A feed that has the whole session already, and can tell it at once."""

    def columns(self, session: dt.date) -> Columns: ...


class Venue(Protocol):
    """Takes orders, answers each, and fills them when the market lets it."""

    def open_session(self, liquidity: Mapping[str, tuple[float, float]]) -> None:
        """A new session, with ADV in dollars and daily volatility by name."""
        ...

    def submit(self, order: Order) -> Ack: ...

    def cancel(self, order_id: str) -> bool: ...

    def on_bar(self, bar: Bar) -> Sequence[Fill]: ...


@runtime_checkable
class Broker(Venue, Protocol):
    """A venue that keeps books of its own, which ours are held against. It takes an order id once: sent again, it
    answers for the order that it has. Fills are not told by `on_bar` but found in an order's standing."""

    def standings(self, order_ids: Sequence[str]) -> Mapping[str, Standing]:
        """Those of the orders that the venue has ever seen, dead ones too."""
        ...

    def holdings(self) -> Holdings: ...


@cache
def is_a(kind: type, port: type) -> bool:
    """Whether a class has all that a port asks for. Looked up once: asking a protocol costs as much as an order."""
    return issubclass(kind, port)


class BundleSource(Protocol):
    """Where the newest approved bundle lies; None while nothing was approved."""

    def newest(self) -> Path | None: ...
