"""`RealTimeStreamer`: trades and quotes of some symbols as minute bars with VWAP and spread, in the background."""

import datetime as dt
import math
import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipelines import calendars
from pipelines.progress import say as usual_say
from pipelines.vendors.fetcher import ParallelDataFetcher, RequestPriority
from pipelines.vendors.hosts import Hosts, VendorError
from pipelines.vendors.times import NEW_YORK

if TYPE_CHECKING:
    import pandas as pd

    from live.tick_stream import Clock, MinuteBar, TickStream, Wire

COLUMNS = ("open", "high", "low", "close", "volume", "vwap", "spread", "trades", "whole")


class RealTimeStreamer:
    """Of the regular session, by the exchange's calendar: what is printed outside it is counted and left alone, unless
    `regular_hours_only` is off. Keys and addresses are those of the environment. The vendor gives a key one line: what
    else listens with the same key, a runner for one, loses it."""

    def __init__(
        self, symbols: Sequence[str], *, regular_hours_only: bool = True, keep_minutes: int = 390,
        on_bar: Callable[["MinuteBar"], None] = lambda bar: None, environment: Mapping[str, str] | None = None,
        wire: "Wire | None" = None, clock: "Clock | None" = None, say: Callable[[str], None] = usual_say,
    ) -> None:  # fmt: skip
        self.symbols = tuple(dict.fromkeys(symbols))
        self._environment = os.environ if environment is None else environment
        self._regular, self._keep, self._on_bar = regular_hours_only, keep_minutes, on_bar
        self._wire, self._clock, self._say = wire, clock, say
        self._stream: TickStream | None = None
        self._hours: tuple[int, int, int, int] = (0, 0, 0, 0)  # of a day: its first and last moment, open and close

    def start_streaming(self, *, prefetch: bool = True) -> None:
        """In the background from here on; a second call changes nothing. Before that the session's minutes so far are
        fetched, or before the open those of the one before; they have neither VWAP nor spread."""
        from live.tick_stream import TickStream, polygon_ticks

        if self._stream is not None:
            return
        wire = self._wire or polygon_ticks(self.symbols, self._environment)
        stream = TickStream(wire, keep_minutes=self._keep, clock=self._clock, on_bar=self._on_bar, say=self._say,
                            inside=self._inside if self._regular else lambda at_us: True)
        if prefetch:
            stream.put(self._fetched())
        stream.start()
        self._stream = stream

    def stop_streaming(self) -> None:
        if self._stream is not None:
            self._stream.stop()
            self._stream = None

    def __enter__(self) -> "RealTimeStreamer":
        self.start_streaming()
        return self

    def __exit__(self, *stopped: object) -> None:
        self.stop_streaming()

    def get_market_info(self) -> dict[str, Any]:
        """`session`, `is_open` and what comes next: `pipelines.calendars.get_market_info` of now."""
        return calendars.get_market_info(self._now())

    def get_bars(self, symbol: str) -> "pd.DataFrame":
        """The newest minutes that are over, oldest first, by the moment at which they began."""
        import pandas as pd

        if symbol not in self.symbols:
            raise KeyError(f"{symbol} is not streamed: {', '.join(self.symbols)} are")
        bars = self._running.bars(symbol)
        began = pd.to_datetime([bar.start_us for bar in bars], unit="us", utc=True)
        return pd.DataFrame({name: [getattr(bar, name) for bar in bars] for name in COLUMNS},
                            index=pd.Index(began, name="timestamp"))

    def counts(self) -> dict[str, int]:
        """Trades, quotes, and what came late or off hours."""
        return self._running.counts()

    @property
    def _running(self) -> "TickStream":
        if self._stream is None:
            raise RuntimeError("nothing is streamed yet: call start_streaming() first")
        return self._stream

    def _now(self) -> dt.datetime:
        return self._clock.now() if self._clock is not None else dt.datetime.now(dt.UTC)

    def _inside(self, at_us: int) -> bool:
        """Whether it lies in a regular session; the calendar is asked once a day."""
        begins, ends, opens, closes = self._hours
        if not begins <= at_us < ends:
            day = dt.datetime.fromtimestamp(at_us / 1e6, NEW_YORK).date()
            midnight = [dt.datetime.combine(one, dt.time(), NEW_YORK) for one in (day, day + dt.timedelta(days=1))]
            traded = bool(calendars.sessions(day, day))
            hours = [calendars.open_at(day), calendars.close_at(day)] if traded else midnight[:1] * 2
            begins, ends, opens, closes = self._hours = tuple(  # type: ignore[assignment]
                round(moment.timestamp() * 1e6) for moment in (*midnight, *hours))
        return opens <= at_us < closes

    def _fetched(self) -> list["MinuteBar"]:
        from live.tick_stream import MinuteBar

        now = self._now()
        session = calendars.last_begun_session(now)
        until_us = round(min(now, calendars.close_at(session)).timestamp() * 1e6)
        since_us = round(calendars.open_at(session).timestamp() * 1e6)
        found: list[MinuteBar] = []
        try:
            with ParallelDataFetcher(session=session, hosts=Hosts.from_environment(self._environment)) as fetcher:
                for number in fetcher.submit_batch(self.symbols, RequestPriority.HIGH):
                    for row in fetcher.get_result(number).to_pylist():
                        start_us = round(row["bar_start"].timestamp() * 1e6)
                        if (not self._regular or start_us >= since_us) and start_us + 60_000_000 <= until_us:
                            o, h, low, c, v = (float(row[name]) for name in COLUMNS[:5])
                            untold = math.nan, math.nan, 0, True
                            found.append(MinuteBar(row["ticker"], start_us, o, h, low, c, v, *untold))
        except (VendorError, TimeoutError) as problem:
            self._say(f"the minutes of {session} so far could not be fetched, the stream begins without: {problem}")
        return sorted(found, key=lambda bar: (bar.start_us, bar.instrument_id))
