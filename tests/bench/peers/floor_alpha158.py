"""A floor for Alpha158: one hand-written Numba loop a name with running sums, float32 out. argv: PARQUET THREADS RUNS.

It owes nothing to anyone: a value carries the rounding of all sessions before it, nothing may be missing, and there is
no tail. What it shows is how fast this machine can be made to go.
"""

import json
import sys
from typing import Any

import numpy as np

from tests.bench.measure import peak_mb, timed

WINDOWS = (5, 10, 20, 30, 60)
ROWS = 13 + 29 * len(WINDOWS)
SPECK = 1e-12


def name_loop(o, h, l, c, v, w, out):  # type: ignore[no-untyped-def]  # noqa: E741
    """One name's columns (158, sessions) from its six fields."""
    n = c.shape[0]
    move, turn, weighted, spoken = np.zeros(n), np.zeros(n), np.zeros(n), np.empty(n)
    for t in range(n):
        top, bottom, span = max(o[t], c[t]), min(o[t], c[t]), h[t] - l[t]
        out[0, t], out[1, t], out[2, t] = (c[t] - o[t]) / o[t], span / o[t], (c[t] - o[t]) / (span + SPECK)
        out[3, t], out[4, t] = (h[t] - top) / o[t], (h[t] - top) / (span + SPECK)
        out[5, t], out[6, t] = (bottom - l[t]) / o[t], (bottom - l[t]) / (span + SPECK)
        out[7, t], out[8, t] = (2 * c[t] - h[t] - l[t]) / o[t], (2 * c[t] - h[t] - l[t]) / (span + SPECK)
        out[9, t], out[10, t], out[11, t], out[12, t] = o[t] / c[t], h[t] / c[t], l[t] / c[t], w[t] / c[t]
        spoken[t] = np.log(v[t] + 1.0) - 13.0
        if t > 0:
            move[t] = c[t] / c[t - 1] - 1.0
            turn[t] = np.log(v[t] / v[t - 1] + 1.0) - 0.69
            weighted[t] = abs(move[t]) * v[t]
    base, bulk = c[0], v[0]
    ordered = np.empty(60)
    highs, lows = np.empty(n, np.int64), np.empty(n, np.int64)
    for k in range(5):
        size, at = WINDOWS[k], 13 + k
        s = np.zeros(22)
        high_from = high_to = low_from = low_to = held = 0
        for t in range(n):
            for sign in range(2):
                u = t if sign == 0 else t - size
                if u < 0:
                    continue
                g = 1.0 if sign == 0 else -1.0
                x, y, z = c[u] - base, v[u] - bulk, spoken[u]
                s[0] += g * x
                s[1] += g * x * x
                s[2] += g * u * x
                s[3] += g * y
                s[4] += g * y * y
                s[5] += g * z
                s[6] += g * z * z
                s[7] += g * x * z
                if u > 0:
                    d, e = c[u] - c[u - 1], v[u] - v[u - 1]
                    s[8] += g * max(d, 0.0)
                    s[9] += g * max(-d, 0.0)
                    s[10] += g * (d > 0.0)
                    s[11] += g * (d < 0.0)
                    s[12] += g * max(e, 0.0)
                    s[13] += g * max(-e, 0.0)
                    s[14] += g * move[u]
                    s[15] += g * move[u] * move[u]
                    s[16] += g * turn[u]
                    s[17] += g * turn[u] * turn[u]
                    s[18] += g * move[u] * turn[u]
                    s[19] += g * weighted[u]
                    s[20] += g * weighted[u] * weighted[u]
            if t >= size:
                place = 0
                while ordered[place] != c[t - size]:
                    place += 1
                for later in range(place, held - 1):
                    ordered[later] = ordered[later + 1]
                held -= 1
            place = held
            while place > 0 and ordered[place - 1] > c[t]:
                ordered[place] = ordered[place - 1]
                place -= 1
            ordered[place] = c[t]
            held += 1
            ties = 0
            while ties < place and ordered[place - 1 - ties] == c[t]:
                ties += 1
            while high_to > high_from and h[highs[high_to - 1]] < h[t]:
                high_to -= 1
            highs[high_to] = t
            high_to += 1
            while lows_are_worse(lows, low_from, low_to, l, t):
                low_to -= 1
            lows[low_to] = t
            low_to += 1
            m, start = held, t - held + 1
            while highs[high_from] < start:
                high_from += 1
            while lows[low_from] < start:
                low_from += 1
            top, bottom = h[highs[high_from]], l[lows[low_from]]
            pairs = m if start > 0 else m - 1
            centre = 0.5 * (start + t)
            xx = max(s[1] - s[0] * s[0] / m, 0.0)
            xt = s[2] - centre * s[0]
            slope = xt / (m * (m * m - 1.0) / 12.0)
            yy, zz = max(s[4] - s[3] * s[3] / m, 0.0), s[6] - s[5] * s[5] / m
            rr, qq = s[15] - s[14] * s[14] / pairs, s[17] - s[16] * s[16] / pairs
            ww, mean_w = max(s[20] - s[19] * s[19] / pairs, 0.0), s[19] / pairs
            today = v[t] + SPECK
            out[at, t] = c[t - size] / c[t] if t >= size else np.nan
            out[at + 5, t] = (s[0] / m + base) / c[t]
            out[at + 10, t] = np.sqrt(xx / (m - 1)) / c[t]
            out[at + 15, t] = slope / c[t]
            out[at + 20, t] = xt * slope / xx
            out[at + 25, t] = (c[t] - base - s[0] / m - slope * (t - centre)) / c[t]
            out[at + 30, t], out[at + 35, t] = top / c[t], bottom / c[t]
            for j in range(2):
                exact = (0.8 if j == 0 else 0.2) * (m - 1)
                below = int(exact)
                above = min(below + 1, m - 1)
                out[at + 40 + 5 * j, t] = (ordered[below] + (ordered[above] - ordered[below]) * (exact - below)) / c[t]
            out[at + 50, t] = (place - 0.5 * ties + 1.0) / m
            out[at + 55, t] = (c[t] - bottom) / (top - bottom + SPECK)
            out[at + 60, t] = (highs[high_from] - start + 1) / size
            out[at + 65, t] = (lows[low_from] - start + 1) / size
            out[at + 70, t] = (highs[high_from] - lows[low_from]) / size
            out[at + 75, t] = (s[7] - s[0] * s[5] / m) / np.sqrt(xx * zz)
            out[at + 80, t] = (s[18] - s[14] * s[16] / pairs) / np.sqrt(rr * qq)
            out[at + 85, t], out[at + 90, t], out[at + 95, t] = s[10] / m, s[11] / m, (s[10] - s[11]) / m
            price, volume = s[8] + s[9] + SPECK, s[12] + s[13] + SPECK
            out[at + 100, t], out[at + 105, t], out[at + 110, t] = s[8] / price, s[9] / price, (s[8] - s[9]) / price
            out[at + 115, t], out[at + 120, t] = (s[3] / m + bulk) / today, np.sqrt(yy / (m - 1)) / today
            out[at + 125, t] = np.sqrt(ww / (pairs - 1)) / (mean_w + SPECK)
            out[at + 130, t], out[at + 135, t] = s[12] / volume, s[13] / volume
            out[at + 140, t] = (s[12] - s[13]) / volume


def lows_are_worse(lows, first, last, low, t):  # type: ignore[no-untyped-def]
    return last > first and low[lows[last - 1]] > low[t]


def main(path: str, threads: int, runs: int) -> None:
    import numba
    import pyarrow.parquet as pq

    numba.set_num_threads(threads)
    options: dict[str, Any] = {"error_model": "numpy", "cache": True}
    globals()["lows_are_worse"] = numba.njit(**options)(lows_are_worse)
    one = numba.njit(**options)(name_loop)

    def every(o, h, l, c, v, w, out):  # type: ignore[no-untyped-def]  # noqa: E741
        for name in numba.prange(o.shape[0]):
            one(o[name], h[name], l[name], c[name], v[name], w[name], out[name])

    every = numba.njit(parallel=True, error_model="numpy")(every)

    def go() -> None:
        table = pq.read_table(path, columns=["open", "high", "low", "close", "volume", "vwap"])
        sessions = pq.read_metadata(path).num_rows // int(pq.read_schema(path).metadata[b"names"])
        fields = [table[name].to_numpy().reshape(-1, sessions) for name in table.column_names]
        every(*fields, np.empty((len(fields[0]), ROWS, sessions), dtype=np.float32))

    took = timed(go, runs=runs)
    print(json.dumps({"version": f"numba {numba.__version__}", "median_s": took.median_s, "cold_s": took.cold_s,
                      "runs": took.runs, "peak_mb": peak_mb(), "cpu": took.cpu_words}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
