"""MarketProfile: the profile of five sessions of ticks. Argument: ticks."""

import json
import sys
import warnings

import numpy as np

from tests.bench.measure import peak_mb, timed

RUNS = 1  # a quarter of a minute each


def main() -> None:
    warnings.simplefilter("ignore")
    import pandas as pd
    from market_profile import MarketProfile

    count, chance = int(sys.argv[1]), np.random.default_rng(3)
    prices = 6000 + np.cumsum(chance.integers(-1, 2, count)) * 0.25
    frame = pd.DataFrame(
        {**dict.fromkeys(("Open", "High", "Low", "Close"), prices), "Volume": chance.integers(1, 20, count)},
        index=pd.date_range("2025-06-30", periods=count, freq="ms"),
    )
    parts = np.array_split(np.arange(count), 5)

    def work() -> None:
        for part in parts:
            session = frame.iloc[part]
            told = MarketProfile(session, tick_size=0.25, mode="vol")[session.index[0] : session.index[-1]]
            told.poc_price, told.value_area  # noqa: B018

    took = timed(work, runs=RUNS)
    print(json.dumps({"seconds": took.median_s, "cold_s": took.cold_s, "peak_mb": peak_mb()}))


if __name__ == "__main__":
    main()
