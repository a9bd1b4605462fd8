"""Five sessions of ticks into volume profiles, beside a hand-written NumPy one."""

import numpy as np

from tests.bench.chain_data import TICKS, tape
from tests.bench.measure import Row, apart, peak_mb, peer, timed

RUNS = 5
TICK = 0.25


def by_hand(prices: np.ndarray, sizes: np.ndarray) -> tuple[float, float, float]:
    """Price of most volume and the value area around it."""
    steps = np.rint(prices * 4).astype(np.int64)
    base = steps.min()
    volumes = np.bincount(steps - base, sizes)
    low = high = len(volumes) - 1 - int(np.argmax(volumes[::-1]))
    most, held, total = low, volumes[low], volumes.sum()
    while held < 0.7 * total:
        above = volumes[high + 1] if high + 1 < len(volumes) else -1
        below = volumes[low - 1] if low > 0 else -1
        if above >= below:
            high += 1
            held += above
        else:
            low -= 1
            held += below
    return (most + base) / 4, (low + base) / 4, (high + base) / 4


def main() -> None:
    import json

    from models.market.volume_profile import volume_profile

    prices, sizes, session = tape()
    for one in range(5):
        volume_profile(prices[session == one], sizes[session == one], TICK)
    print(json.dumps({"peak_mb": peak_mb()}))


def rows() -> list[Row]:
    from models.market.volume_profile import volume_profile

    prices, sizes, session = tape()
    parts = [(prices[session == one], sizes[session == one]) for one in range(5)]
    for one, lots in parts:
        ours = volume_profile(one, lots, TICK)
        assert (ours["poc"], ours["val"], ours["vah"]) == by_hand(one, lots)
    mine = timed(lambda: [volume_profile(one, lots, TICK) for one, lots in parts], runs=RUNS)
    plain = timed(lambda: [by_hand(one, lots) for one, lots in parts], runs=RUNS)
    theirs = peer("vprofile", "peers.marketprofile", str(TICKS))
    return [Row(
        "volume_profile/5M", mine.median_s, mine.cold_s, "MarketProfile", theirs["seconds"] if theirs else None,
        plain.median_s, apart("volume_profile")["peak_mb"], RUNS,
        f"{TICKS:,} ticks, {TICKS / mine.median_s:,.0f}/s, {mine.median_s / plain.median_s:.1f} times NumPy by hand; "
        f"{mine.cpu_words}, by hand {plain.cpu_words}",
    )]  # fmt: skip


if __name__ == "__main__":
    main()
