"""py_vollib_vectorized: implied volatility, greeks and exposure by strike of a chain. Argument: contracts."""

import json
import sys
import warnings

import numpy as np

from tests.bench.measure import peak_mb, timed

RUNS = 5


def main() -> None:
    warnings.simplefilter("ignore")
    import py_vollib_vectorized as vollib

    count, chance, spot = int(sys.argv[1]), np.random.default_rng(7), 6200.0
    strike = np.round(spot * np.exp(chance.normal(0, 0.15, count)) / 5) * 5
    flag = np.where(strike > spot, "c", "p")
    years, sigma = chance.uniform(0.01, 1.5, count), chance.uniform(0.1, 0.4, count)
    interest, spots, rate = chance.integers(0, 5000, count), np.full(count, spot), np.zeros(count)
    price = vollib.models.vectorized_black_scholes(flag, spots, strike, years, rate, sigma, return_as="numpy")

    def work() -> None:
        iv = vollib.vectorized_implied_volatility(
            price, spots, strike, years, rate, flag, model="black_scholes", on_error="ignore", return_as="numpy"
        )
        greeks = vollib.get_all_greeks(flag, spots, strike, years, rate, iv, model="black_scholes", return_as="dict")
        exposure = greeks["gamma"] * interest * spot * spot * np.where(flag == "c", 1, -1)
        _, place = np.unique(strike, return_inverse=True)
        np.bincount(place, np.nan_to_num(exposure))

    took = timed(work, runs=RUNS)
    print(json.dumps({"seconds": took.median_s, "cold_s": took.cold_s, "peak_mb": peak_mb(),
                      "cpu_words": took.cpu_words}))


if __name__ == "__main__":
    main()
