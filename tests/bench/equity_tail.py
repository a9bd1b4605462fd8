"""A finished session taken into every feature of daily bars for 500 names, the way live does it; target 50 ms p99."""

import numpy as np

from tests.bench.measure import Row, peak_mb, timed

NAMES, CALLS, SEED, TARGET_S = 500, 200, 21, 0.050


def rows() -> list[Row]:
    from live.rolling import Rolling
    from models.features.compute import compute_tail
    from models.features.inputs import RAW, derive
    from models.features.panel import BarPanel
    from models.features.registry import FEATURES, families

    features = tuple(feature for feature in FEATURES if feature.cells == "equity")
    sessions = max(feature.look_back for feature in features)
    rng = np.random.default_rng(SEED)
    close = 50 * np.cumprod(1 + rng.normal(0, 0.02, (sessions, NAMES)), axis=0)
    made = {name: np.ones(close.shape) for name in RAW["equity"]} | {
        "close": close, "open": close * rng.uniform(0.99, 1.01, close.shape), "high": close * 1.01, "low": close * 0.99,
        "volume": np.floor(rng.lognormal(12, 1, close.shape)),
    }
    days, names = np.datetime64("2024-01-01") + np.arange(sessions), tuple(f"N{n:03d}" for n in range(NAMES))
    held = Rolling(days, made)

    newest = {name: rows[-1] for name, rows in made.items()}

    def panel() -> BarPanel:
        held.append(held.days(1)[0] + 1, newest)
        return BarPanel(held.days(), names, derive("equity", {name: held.newest(name) for name in held.names}))

    took = timed(lambda: compute_tail(panel(), features), runs=CALLS)
    bars, parts = panel(), []
    for view, some in families().items():
        if some[0].cells == "equity":
            own = timed(lambda some=some: compute_tail(bars, some), runs=20)
            parts.append(f"{view} {len(some)} in {own.median_s * 1e3:.1f} ms")
    used = sorted(took.cpu)
    missed = sum(seconds > TARGET_S for seconds in took.seconds) / took.runs
    note = (f"{len(features)} features from {sessions} sessions; processor p50 {used[len(used) // 2] * 1e3:.1f} ms, "
            f"p99 {used[int(0.99 * len(used))] * 1e3:.1f} ms; {missed:.1%} of the calls beyond 50 ms of wall; alone: "
            f"{', '.join(parts)}")  # fmt: skip
    what, peak = f"tail/equity {NAMES} names", peak_mb()
    return [
        Row(f"{what} {words}", ours_s=seconds, cold_s=took.cold_s, peak_mb=peak, samples=took.runs, note=note)
        for words, seconds in (("median", took.median_s), ("p99", took.quantile_s(0.99)))
    ]
