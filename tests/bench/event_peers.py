"""The cross of two averages by backtesting.py, backtrader and nautilus_trader, each as its own documents would have it.

Runs in a peer's environment: `python -m tests.bench.event_peers NAME RUNS`."""

import json
import sys
import warnings
from collections.abc import Callable
from typing import Any

warnings.filterwarnings("ignore")

from tests.bench.event_data import CASH_USD, FAST, SHARES, SLOW, path  # noqa: E402
from tests.bench.measure import peak_mb, timed  # noqa: E402

COMMISSION = 0.0001


def frame() -> Any:
    import numpy as np
    import pandas as pd

    told = np.load(path())
    columns = {name: told[name] for name in ("open", "high", "low", "close", "volume")}
    return pd.DataFrame(columns, index=pd.to_datetime(told["start"], unit="s"))


def backtesting() -> Callable[[], dict[str, Any]]:
    import pandas as pd
    from backtesting import Backtest, Strategy
    from backtesting.lib import crossover

    data = frame().rename(columns=str.capitalize)

    def average(values: Any, span: int) -> Any:
        return pd.Series(values).ewm(span=span, adjust=False).mean().to_numpy()

    class Cross(Strategy):
        def init(self) -> None:
            self.fast, self.slow = (self.I(average, self.data.Close, span) for span in (FAST, SLOW))

        def next(self) -> None:
            if crossover(self.fast, self.slow) and not self.position:
                self.buy(size=SHARES)
            elif crossover(self.slow, self.fast) and self.position:
                self.position.close()

    def work() -> dict[str, Any]:
        told = Backtest(data, Cross, cash=CASH_USD, commission=COMMISSION, finalize_trades=True).run()
        return {"orders": 2 * int(told["# Trades"])}

    return work


def backtrader() -> Callable[[], dict[str, Any]]:
    import backtrader as bt

    data = frame()

    class Cross(bt.Strategy):
        def __init__(self) -> None:
            self.cross = bt.ind.CrossOver(bt.ind.EMA(period=FAST), bt.ind.EMA(period=SLOW))
            self.sent = 0

        def next(self) -> None:
            if self.cross[0] > 0 and not self.position:
                self.buy(size=SHARES)
                self.sent += 1
            elif self.cross[0] < 0 and self.position:
                self.close()
                self.sent += 1

    def work() -> dict[str, Any]:
        brain = bt.Cerebro(stdstats=False)
        brain.adddata(bt.feeds.PandasData(dataname=data))
        brain.broker.setcash(CASH_USD)
        brain.broker.setcommission(commission=COMMISSION)
        brain.addstrategy(Cross)
        return {"orders": brain.run()[0].sent}

    return work


def nautilus_trader() -> Callable[[], dict[str, Any]]:
    from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
    from nautilus_trader.config import LoggingConfig, StrategyConfig
    from nautilus_trader.indicators import ExponentialMovingAverage
    from nautilus_trader.model.currencies import USD
    from nautilus_trader.model.data import BarType
    from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
    from nautilus_trader.model.identifiers import InstrumentId, TraderId, Venue
    from nautilus_trader.model.objects import Money, Quantity
    from nautilus_trader.persistence.wranglers import BarDataWrangler
    from nautilus_trader.test_kit.providers import TestInstrumentProvider
    from nautilus_trader.trading.strategy import Strategy

    name = TestInstrumentProvider.equity("M00", "SIM")
    kind = BarType.from_str(f"{name.id}-1-MINUTE-LAST-EXTERNAL")
    bars = BarDataWrangler(kind, name).process(frame().tz_localize("UTC"))

    class CrossConfig(StrategyConfig, frozen=True):
        instrument_id: InstrumentId
        bar_type: BarType

    class Cross(Strategy):
        def __init__(self, config: CrossConfig) -> None:
            super().__init__(config)
            self.fast, self.slow = ExponentialMovingAverage(FAST), ExponentialMovingAverage(SLOW)
            self.sent, self.above = 0, None

        def on_start(self) -> None:
            self.register_indicator_for_bars(self.config.bar_type, self.fast)
            self.register_indicator_for_bars(self.config.bar_type, self.slow)
            self.subscribe_bars(self.config.bar_type)

        def on_bar(self, bar: Any) -> None:
            if not self.slow.initialized:
                return
            above = self.fast.value > self.slow.value
            of = self.config.instrument_id
            if self.above is not None and above != self.above and above == self.portfolio.is_flat(of):
                side = OrderSide.BUY if above else OrderSide.SELL
                self.submit_order(self.order_factory.market(of, side, Quantity.from_int(SHARES)))
                self.sent += 1
            self.above = above

    def work() -> dict[str, Any]:
        engine = BacktestEngine(BacktestEngineConfig(trader_id=TraderId("B-001"),
                                                     logging=LoggingConfig(bypass_logging=True)))
        engine.add_venue(Venue("SIM"), oms_type=OmsType.NETTING, account_type=AccountType.CASH, base_currency=USD,
                         starting_balances=[Money(CASH_USD, USD)])
        engine.add_instrument(name)
        engine.add_data(bars)
        strategy = Cross(CrossConfig(instrument_id=name.id, bar_type=kind))
        engine.add_strategy(strategy)
        engine.run()
        sent = strategy.sent
        engine.dispose()
        return {"orders": sent}

    return work


def main() -> None:
    name, runs = sys.argv[1], int(sys.argv[2])
    work = {"backtesting": backtesting, "backtrader": backtrader, "nautilus_trader": nautilus_trader}[name]()
    last: dict[str, Any] = {}

    def once() -> None:
        last.update(work())

    taken = timed(once, runs=runs)
    print(json.dumps({"seconds": taken.median_s, "cpu_s": min(taken.cpu), "cold_s": taken.cold_s, "peak_mb": peak_mb(),
                      **last}))


if __name__ == "__main__":
    main()
