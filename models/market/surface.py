"""The rest of what a chain says: gamma under other conventions, volatility by tenor, the price of fear (skew).

Only standard deliverables count, and only what is quoted: nothing is extrapolated, and what cannot be read is missing.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

TENOR_DAYS = (9, 30, 93)  # those of VIX9D, VIX and VIX3M
SKEW_DELTA, SKEW_DAYS, SKEW_FROM, SKEW_TO = 0.25, 30, 5, 75
SHARES_PER_CONTRACT = 100.0

FIELDS: tuple[tuple[str, Any], ...] = tuple(
    (name, pa.float64())
    for name in ("gamma_calls", "gamma_puts", "gamma_by_volume", "gamma_0dte", "pin_share",
                 *(f"iv_{days}d" for days in TENOR_DAYS), "skew_25d")
)  # fmt: skip


def _floats(table: pa.Table, name: str) -> Floats:
    values: Floats = pc.fill_null(table.column(name).cast(pa.float64()), float("nan")).to_numpy()
    return values


def crossing(at: float, x: Floats, y: Floats) -> float | None:
    """`y` where `x` is `at`, on the straight line between its neighbours; None where none stands on one side."""
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    if not len(x) or at < x[0] or at > x[-1]:
        return None
    right = int(np.searchsorted(x, at))
    if x[right] == at:
        return float(y[right])
    share = (at - x[right - 1]) / (x[right] - x[right - 1])
    return float(y[right - 1] + share * (y[right] - y[right - 1]))


def at_money(spot: float, strike: Floats, iv: Floats) -> float | None:
    """Volatility at the spot, between the strikes beside it; a strike's is the mean of its call's and its put's."""
    known = np.isfinite(iv)
    levels, where = np.unique(strike[known], return_inverse=True)
    if not len(levels):
        return None
    return crossing(spot, levels, np.bincount(where, iv[known]) / np.bincount(where))


def tenors(spot: float, days: Ints, strike: Floats, iv: Floats) -> dict[str, float | None]:
    """Volatility of stated tenors: total variance runs straight between the expiries on either side."""
    listed, level = [], []
    for left in np.unique(days[days > 0]).tolist():
        one = days == left
        found = at_money(spot, strike[one], iv[one])
        if found is not None:
            listed.append(float(left))
            level.append(found * found * left)
    told: dict[str, float | None] = {}
    for tenor in TENOR_DAYS:
        total = crossing(float(tenor), np.array(listed), np.array(level))
        told[f"iv_{tenor}d"] = None if total is None or total < 0 else float(np.sqrt(total / tenor))
    return told


def skew(days: Ints, call: Flags, delta: Floats, iv: Floats) -> float | None:
    """Volatility of the 25-delta put less that of the call, in the expiry nearest to thirty days."""
    known = np.isfinite(delta) & np.isfinite(iv) & (days >= SKEW_FROM) & (days <= SKEW_TO)
    expiries = sorted(set(days[known].tolist()), key=lambda left: (abs(left - SKEW_DAYS), left))
    for left in expiries:
        one = known & (days == left)
        puts = crossing(SKEW_DELTA, -delta[one & ~call], iv[one & ~call])
        calls = crossing(SKEW_DELTA, delta[one & call], iv[one & call])
        if puts is not None and calls is not None:
            return puts - calls
    return None


def _gammas(spot: float | None, call: Flags, same_day: Flags, gamma: Floats, interest: Floats,
            volume: Floats) -> dict[str, float | None]:  # fmt: skip
    known = np.isfinite(gamma)
    if spot is None or not known.any():
        return dict.fromkeys(("gamma_calls", "gamma_puts", "gamma_by_volume", "gamma_0dte"))
    unit = np.where(known, gamma, 0.0) * SHARES_PER_CONTRACT * spot * spot * 0.01
    sign = np.where(call, 1.0, -1.0)
    return {
        "gamma_calls": float((unit * interest)[call].sum()), "gamma_puts": float((unit * interest)[~call].sum()),
        "gamma_by_volume": float((unit * volume * sign).sum()),
        # Past the close a same-day contract has no gamma any more: then it is missing, and not nothing.
        "gamma_0dte": float((unit * interest * sign)[same_day].sum()) if (known & same_day).any() else None,
    }


def surface(chain: pa.Table) -> dict[str, float | None]:
    """Of one chain without what had expired, in the order of its contracts."""
    standard = pc.invert(pc.fill_null(chain.column("adjusted"), False))
    chain = chain if pc.all(standard).as_py() else chain.filter(standard)
    if not chain.num_rows:
        return dict.fromkeys(name for name, _ in FIELDS)
    session = chain.column("session").cast(pa.int32()).to_numpy()
    days = (chain.column("expiry").cast(pa.int32()).to_numpy() - session).astype(np.int64)
    spot: float | None = chain.column("spot")[0].as_py()
    call = pc.equal(chain.column("right"), "C").to_numpy(zero_copy_only=False)
    strike, iv, delta, gamma = (_floats(chain, name) for name in ("strike", "iv", "delta", "gamma"))
    volume, interest = np.nan_to_num(_floats(chain, "volume")), np.nan_to_num(_floats(chain, "open_interest"))
    levels, where = np.unique(strike, return_inverse=True)
    weight = np.bincount(where, np.where(np.isfinite(gamma), gamma, 0.0) * interest, len(levels))
    nothing: dict[str, float | None] = {f"iv_{tenor}d": None for tenor in TENOR_DAYS}
    return {
        **_gammas(spot, call, days == 0, gamma, interest, volume),
        "pin_share": float(weight.max() / weight.sum()) if weight.sum() > 0 else None,
        **(nothing if spot is None else tenors(spot, days, strike, iv)),
        "skew_25d": skew(days, call, delta, iv),
    }
