"""One more row taken into every option and futures feature of one instrument, as live does it; target 2 ms p99."""

import time

import numpy as np

from tests.bench.measure import Row, peak_mb

WARM, CALLS, SEED, TARGET_S = 50, 2_000, 22, 0.002
PANELS = ("options", "positioning", "sentiment", "futures", "auction", "tape")


def _quantile(seconds: list[float], share: float) -> float:
    return sorted(seconds)[min(len(seconds) - 1, int(share * len(seconds)))]


def rows() -> list[Row]:
    from models.features.compute import compute_tail
    from models.features.inputs import RAW, derive
    from models.features.panel import BarPanel
    from models.features.registry import FEATURES, families, view_look_back

    rng = np.random.default_rng(SEED)
    declared = {view: some for view, some in families().items() if some[0].cells in PANELS}
    held = {}  # by panel of cells: what live keeps of one instrument, a window that moves on by a row
    for panel in PANELS:
        count = view_look_back(tuple(feature for feature in FEATURES if feature.cells == panel))
        raw = {name: rng.lognormal(0.0, 0.01, (count + WARM + CALLS, 1)) for name in RAW[panel]}
        held[panel] = count, derive(panel, raw)
    wall: list[float] = []
    cpu: list[float] = []
    own: dict[str, list[float]] = {view: [] for view in declared}
    for call in range(WARM + CALLS):
        begun, used = time.perf_counter(), time.process_time()
        for view, some in declared.items():
            count, columns = held[some[0].cells]
            alone = time.perf_counter()
            window = {name: column[call : call + count] for name, column in columns.items()}
            compute_tail(BarPanel(np.arange(count).astype("datetime64[m]"), ("one",), window), some)
            own[view].append(time.perf_counter() - alone)
        wall.append(time.perf_counter() - begun)
        cpu.append(time.process_time() - used)
    cold, wall, cpu = wall[0], wall[WARM:], cpu[WARM:]
    parts = ", ".join(f"{view} {len(some)} in {np.median(own[view]) * 1e3:.2f} ms" for view, some in declared.items())
    missed = sum(seconds > TARGET_S for seconds in wall) / CALLS
    note = (f"{sum(map(len, declared.values()))} features; processor p50 {_quantile(cpu, 0.5) * 1e3:.2f} ms, p99 "
            f"{_quantile(cpu, 0.99) * 1e3:.2f} ms; {missed:.1%} of the calls beyond 2 ms of wall; {parts}")  # fmt: skip
    return [
        Row(f"tail/options and futures, one instrument {words}", ours_s=_quantile(wall, share), cold_s=cold,
            peak_mb=peak_mb(), samples=CALLS, note=note)
        for words, share in (("median", 0.5), ("p99", 0.99))
    ]  # fmt: skip
