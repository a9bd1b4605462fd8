"""`QuantPlatformOptimized`: bars, a stream and signals of a watchlist, by the settings of one environment.

It trades nothing: that is `nightdesk live`, from a bundle that passed the gate and under the limits of a file."""

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

from models.signals import AdvancedSignalGenerator, TradeSignal
from models.signals.seeds import Bars
from pipelines import calendars
from pipelines.presets import Environment
from pipelines.settings import load_config
from pipelines.vendors.fetcher import ParallelDataFetcher, RequestPriority
from pipelines.vendors.streamer import RealTimeStreamer

if TYPE_CHECKING:
    import pandas as pd

    from live.tick_stream import Clock

WATCHLIST = ("SPY", "QQQ", "IWM", "GLD", "TLT")


class QuantPlatformOptimized:
    def __init__(
        self, environment: Environment = "development", symbols: Sequence[str] = WATCHLIST, *,
        clock: "Clock | None" = None,
    ) -> None:  # fmt: skip
        self.settings, self.symbols, self._clock = load_config(environment), tuple(symbols), clock
        self.streamer = RealTimeStreamer(self.symbols, clock=clock)

    def start_real_time_streaming(self) -> RealTimeStreamer:
        """In the background until `stop`."""
        self.streamer.start_streaming()
        return self.streamer

    def fetch_watchlist_data(self) -> dict[str, "pd.DataFrame"]:
        """Minute bars of the newest session by symbol, asked for side by side as the environment allows."""
        session = calendars.last_begun_session(self._clock.now() if self._clock else dt.datetime.now(dt.UTC))
        with ParallelDataFetcher(self.settings.asking.workers, session=session) as fetcher:
            asked = fetcher.submit_batch(self.symbols, RequestPriority.HIGH)
            return {symbol: fetcher.get_result(number).to_pandas()
                    for symbol, number in zip(self.symbols, asked, strict=True)}

    def generate_signals(self, price_data: Bars) -> list[TradeSignal]:
        """The plan for the newest bar of one name."""
        return AdvancedSignalGenerator().generate_signals(price_data)

    def stop(self) -> None:
        self.streamer.stop_streaming()
