"""Record vectorbt's figures of the small market of `tests/test_models/sweep_market.py`.

    $NIGHTDESK_PEERS/vectorbt/bin/python -m tests.bench.peers.vectorbt_record

writes `tests/test_models/recorded/sweep.npz`: for each fee, the figures of every pair of windows on the first path, of
one pair on all paths, of signals on all paths and on the first, and of long and short positions; equities of these.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from tests.test_models.sweep_market import FAST, FEES, SLOW, closes, positions, signals

INTO = Path(__file__).resolve().parents[2] / "test_models" / "recorded" / "sweep.npz"


def main() -> None:
    import pandas as pd
    import vectorbt as vbt

    days = pd.bdate_range("2024-01-01", periods=len(closes()))
    paths = pd.DataFrame(closes(), days)
    alone = paths.iloc[:, 0]
    entries, exits = (pd.DataFrame(told, days) for told in signals())
    told: dict[str, Any] = {}
    for number, (fee, slippage) in enumerate(FEES):
        for name, price, fast, slow in (("pairs", alone, FAST.tolist(), SLOW.tolist()), ("names", paths, 3, 7)):
            one, other = (vbt.MA.run(price, window, short_name=word) for window, word in ((fast, "a"), (slow, "b")))
            into, out = one.ma_crossed_above(other), one.ma_crossed_below(other)
            book = vbt.Portfolio.from_signals(price, into, out, fees=fee, slippage=slippage, freq="1D")
            put(told, f"{name}_{number}", book)
        for name, price in (("signals", paths), ("shared", alone)):
            book = vbt.Portfolio.from_signals(price, entries, exits, fees=fee, slippage=slippage, freq="1D")
            put(told, f"{name}_{number}", book)
            told[f"{name}_{number}_equity"] = np.asarray(book.value()) / 100.0
        held = pd.DataFrame(positions(), days)
        before = held.shift(1, fill_value=0)
        ways = [((held == side) & (before != side), (held != side) & (before == side)) for side in (1, -1)]
        book = vbt.Portfolio.from_signals(paths, *ways[0], *ways[1], fees=fee, slippage=slippage, freq="1D")
        put(told, f"sides_{number}", book)
        told[f"sides_{number}_equity"] = np.asarray(book.value()) / 100.0
    np.savez_compressed(INTO, version=np.array(vbt.__version__), **told)
    print(json.dumps({"version": vbt.__version__, "bytes": INTO.stat().st_size}))


def put(told: dict[str, Any], name: str, book: Any) -> None:
    trades = book.trades
    told[name] = np.stack([np.asarray(values, dtype=float) for values in (
        book.total_return(), book.sharpe_ratio(), book.max_drawdown(), trades.count(),
        trades.winning.count())])


if __name__ == "__main__":
    main()
