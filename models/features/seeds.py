"""Features under the names and signatures that people know, for one table of bars or one profile: thin shells."""

import math
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from models.features.tape import kernels
from models.features.tape.window import Minutes
from models.market.tape import zones

FloatArray = npt.NDArray[np.float64]


class Bars(Protocol):
    """A DataFrame, or anything else whose columns are asked for by name: oldest bar first."""

    def __getitem__(self, name: str, /) -> Any: ...


class VWAPBandsCalculator:
    """The bands of `tape_v1:vwap_position_20m`, which are judged every night, over any bars."""

    def calculate_vwap_bands(self, market_data: Bars, periods: int = 20) -> dict[str, float]:
        """VWAP of the last `periods` bars and the prices one and two deviations from it. `price_position` is the last
        close in deviations (beyond 2 it stands outside all bands), `slope` the VWAP over that of as many bars before,
        less 1. What is not known yet is NaN. Ask again with bars of another length for another horizon.

        A bar's mean price is its `turnover` over its volume, else its `vwap`, else the mean of high, low and close."""
        if periods < 1:
            raise ValueError(f"bands of {periods} bars: give one or more")
        close, volume = _column(market_data, "close"), _column(market_data, "volume")
        if not (len(close) and np.isfinite(close).all() and np.isfinite(volume).all() and (volume >= 0.0).all()):
            raise ValueError("bars have a finite close each, and a volume from nought up")
        told = ("vwap", "sd1_up", "sd1_down", "sd2_up", "sd2_down", "price_position", "slope")
        if len(close) < periods:
            return dict.fromkeys(told, math.nan)
        tape = Minutes({"close": close[None, None], "volume": volume[None, None],
                        "turnover": _turnover(market_data, close, volume)[None, None]})
        with np.errstate(divide="ignore", invalid="ignore"):  # a bar of no volume has no mean price, and no weight
            middle, spread = (float(one[0, 0]) for one in kernels.vwap_and_spread(tape, periods))
            place = float(kernels.vwap_position(tape, periods)[0, 0])
            slope = float(kernels.vwap_slope(tape, periods)[0, 0]) if len(close) >= 2 * periods else math.nan
        return dict(zip(told, (middle, middle + spread, middle - spread, middle + 2.0 * spread, middle - 2.0 * spread,
                               place, slope), strict=True))


def _column(bars: Bars, name: str) -> FloatArray:
    return np.ascontiguousarray(np.asarray(bars[name], dtype=np.float64))


def _turnover(bars: Bars, close: FloatArray, volume: FloatArray) -> FloatArray:
    for name, by in (("turnover", np.ones_like(volume)), ("vwap", volume)):
        try:
            return np.where(volume > 0.0, _column(bars, name) * by, 0.0)
        except KeyError:
            continue
    return (_column(bars, "high") + _column(bars, "low") + close) / 3.0 * volume


class VolumeProfileImbalanceDetector:
    """Where a session's volume was taken in and given out, by the rule of the mart `session_tape`."""

    def detect_imbalances(self, volume_profile_data: Mapping[str, Any]) -> dict[str, Any]:
        """Of `volumes` by price and, by price too, `delta` (bought less sold) and `large` (in prints over 100 lots), as
        `FuturesVolumeIngestion.fetch_volume_profile` tells them with the `tick`.

        Zones and gaps are runs of neighbouring prices, {low, high, volume}, from the bottom up; the levels of
        institutions are prices, the most traded first. `imbalance_strength` is accumulated less distributed volume over
        all. Without `delta` nobody knows who pressed: there are no zones then, and the strength is NaN."""
        tick = float(volume_profile_data["tick"])
        volumes = volume_profile_data["volumes"]
        if not (volumes and tick > 0.0 and sum(volumes.values()) > 0):
            raise ValueError("a profile without a tick, a price or a volume has no imbalance")
        step = np.rint(np.array(list(volumes)) / tick).astype(np.int64)
        base, count = int(step.min()), int(step.max() - step.min()) + 1

        def by_level(told: Mapping[float, float]) -> FloatArray:
            at = np.rint(np.array(list(told), dtype=np.float64) / tick).astype(np.int64) - base
            summed = np.bincount(at, np.array(list(told.values()), dtype=np.float64), count)
            return np.asarray(summed, dtype=np.float64)

        level, volume = np.asarray((base + np.arange(count)) * tick, dtype=np.float64), by_level(volumes)
        vwap = float((level * volume).sum() / volume.sum())
        net, large = (by_level(volume_profile_data.get(name) or {}) for name in ("delta", "large"))
        taken, given = zones(level, net, vwap)
        told = "delta" in volume_profile_data
        most = [place for place in np.argsort(-large[::-1], kind="stable").tolist() if large[::-1][place] > 0]
        return {
            "accumulation_zones": _runs(taken, level, volume), "distribution_zones": _runs(given, level, volume),
            "volume_gaps": _runs(volume == 0, level, volume),
            "institutional_levels": [float(level[count - 1 - place]) for place in most],  # ties go up
            "imbalance_strength":
                float((volume[taken].sum() - volume[given].sum()) / volume.sum()) if told else math.nan,
        }  # fmt: skip


def _runs(inside: npt.NDArray[np.bool_], level: FloatArray, volume: FloatArray) -> list[dict[str, float]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]]).astype(np.int8)))
    return [{"low": float(level[begin]), "high": float(level[end - 1]), "volume": float(volume[begin:end].sum())}
            for begin, end in zip(edges[::2], edges[1::2], strict=True)]
