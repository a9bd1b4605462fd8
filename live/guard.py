"""What stops trading when the strategy itself cannot: a venue that asks the switch last, and a thread that cancels."""

import logging
import os
import select
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from live.ports import Ack, Bar, Broker, Fill, Holdings, Order, Standing, Venue
from live.risk import KillMode, KillSwitch
from live.risk.switch import SIGNALS

log = logging.getLogger(__name__)
LOOK_S = 0.1
PATIENCE_S = 0.3  # for a call of the engine that holds the venue; then cancels go out beside it


class GuardedVenue:
    """Between the engine and the venue. Nothing that adds risk passes once the switch is thrown, whoever sends it."""

    def __init__(self, venue: Venue, switch: KillSwitch) -> None:
        self._venue, self._switch = venue, switch
        self._lock = threading.Lock()
        self._working: dict[str, Order] = {}
        self._left: dict[str, int] = {}  # shares that may still fill, by order
        self._taken_back: set[str] = set()

    def open_session(self, liquidity: Mapping[str, tuple[float, float]]) -> None:
        with self._lock:
            self._working.clear()
            self._left.clear()
            self._taken_back.clear()
            self._venue.open_session(liquidity)

    def submit(self, order: Order) -> Ack:
        with self._lock:
            thrown = self._switch.thrown()
            if thrown is not None and (thrown[0] is KillMode.HALT or not order.reduce_only):
                return Ack(order.order_id, accepted=False, reason=f"the kill switch is thrown: {thrown[1]}")
            self._left[order.order_id] = order.quantity
            self._working[order.order_id] = order  # before the venue has it: a lost answer must not hide it
            ack = self._venue.submit(order)
            if not ack.accepted:
                self._working.pop(order.order_id, None)
            return ack

    def cancel(self, order_id: str) -> bool:
        """Also True for what the watchdog took back before: the engine is to hear of it."""
        with self._lock:
            self._working.pop(order_id, None)
            return order_id in self._taken_back or self._venue.cancel(order_id)

    def on_bar(self, bar: Bar) -> Sequence[Fill]:
        with self._lock:
            fills = self._venue.on_bar(bar)
            for fill in fills:
                left = self._left[fill.order_id] = self._left.get(fill.order_id, 0) - fill.quantity
                if left == 0:
                    self._working.pop(fill.order_id, None)
            return fills

    def take_back(self) -> int:
        """Cancel whatever may still fill; the number of cancels that the venue confirmed. For any thread."""
        free = self._lock.acquire(timeout=PATIENCE_S)
        try:
            done = 0
            for order_id in list(self._working):
                try:
                    confirmed = self._venue.cancel(order_id)
                except (OSError, RuntimeError) as problem:  # the next look tries again
                    log.error("cancel of %s failed: %s", order_id, type(problem).__name__)
                    continue
                self._working.pop(order_id, None)
                if confirmed:
                    self._taken_back.add(order_id)
                    done += 1
            return done
        finally:
            if free:
                self._lock.release()


class GuardedBroker(GuardedVenue):
    """The same for a venue that keeps books: what still works there is known from them, also after a restart."""

    def __init__(self, broker: Broker, switch: KillSwitch) -> None:
        super().__init__(broker, switch)
        self._broker = broker

    def open_session(self, liquidity: Mapping[str, tuple[float, float]]) -> None:
        with self._lock:
            self._broker.open_session(liquidity)

    def cancel(self, order_id: str) -> bool:
        """What becomes of it is in the venue's books, and is read there."""
        with self._lock:
            return self._broker.cancel(order_id)

    def standings(self, order_ids: Sequence[str]) -> Mapping[str, Standing]:
        with self._lock:
            return self._broker.standings(order_ids)

    def holdings(self) -> Holdings:
        with self._lock:
            told = self._broker.holdings()
            self._working = {one.order_id: Order(one.order_id, one.instrument_id, one.quantity, None)
                             for one in told.working}
            return told


class Watchdog:
    """Looks at the switch ten times a second and hears its signals, while the engine's thread may hang in whatever."""

    def __init__(self, switch: KillSwitch, venue: GuardedVenue,
                 tell: Callable[[KillMode, str, int], None] = lambda mode, by, cancelled: None) -> None:
        self._switch, self._venue, self._tell = switch, venue, tell
        self._ended = threading.Event()

    @contextmanager
    def watching(self, *, signals: bool = False) -> Iterator[None]:
        """Watch while the block runs. `signals` needs the main thread, whose handlers `KillSwitch.listen` installs."""
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        os.set_blocking(reader, False)
        before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False) if signals else -1
        thread = threading.Thread(target=self._watch, args=(reader,), name="watchdog", daemon=True)
        thread.start()
        try:
            yield
        finally:
            if signals:
                signal.set_wakeup_fd(before)
            self._ended.set()
            thread.join()
            os.close(reader)
            os.close(writer)

    def _watch(self, reader: int) -> None:
        acted: KillMode | None = None
        while not self._ended.is_set():
            heard, _, _ = select.select([reader], [], [], LOOK_S)
            if heard:  # C wrote it there at once, also where Python's own handler waits for the engine to come back
                for number in os.read(reader, 64):
                    self._throw(number)
            thrown = self._switch.thrown()
            if thrown is None:
                acted = None
                continue
            mode, by = thrown
            # Flattening sends orders of its own: they are left to work.
            if acted is not mode or mode is KillMode.HALT:
                cancelled = self._venue.take_back()
                if acted is not mode:
                    self._tell(mode, by, cancelled)
                acted = mode

    def _throw(self, number: int) -> None:
        for mode, one in SIGNALS.items():
            if number == one:
                try:
                    self._switch.throw(KillMode(mode), f"signal {one.name}")
                except OSError:
                    pass  # thrown for this process all the same
