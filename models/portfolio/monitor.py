"""What a portfolio is exposed to at one moment: sizes, how much it may swing, how alike what it holds moves."""

from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
SESSIONS_A_YEAR = 252
LEAST_SESSIONS = 20  # below this nothing is said of how names move


@dataclass(frozen=True)
class Reading:
    """Shares of capital; NaN where too little is known. `value_at_risk_95` is the loss that the names as held now
    would have made in the worst twentieth of the sessions looked at, at its mildest; `expected_shortfall_95` its mean.
    """

    gross: float
    net: float
    long: float
    short: float
    largest: float
    names: int
    effective_names: float  # as many even, unlike positions carry this risk
    volatility_annual: float
    mean_correlation: float  # of what is held, signed by side, weighed by size
    beta: float  # to all names held alike
    value_at_risk_95: float
    expected_shortfall_95: float

    def as_json(self) -> dict[str, float | int]:
        return asdict(self)


def reading(weights: FloatArray, returns: FloatArray) -> Reading:
    """`weights` (names,) of the capital now; `returns` (sessions, names) known by now, NaN where there was none."""
    held = (weights != 0.0) & np.isfinite(weights)
    size = np.where(held, weights, 0.0)
    sizes = (float(np.abs(size).sum()), float(size.sum()), float(size[size > 0.0].sum()), float(size[size < 0.0].sum()),
             float(np.abs(size).max(initial=0.0)), int(held.sum()))
    told = returns[:, held]
    told = told[np.isfinite(told).all(axis=1)]
    if not held.any() or len(told) < LEAST_SESSIONS:
        return Reading(*sizes, *(np.nan,) * 6)
    own = size[held]
    book = told @ own
    spread = told.std(axis=0, ddof=1)
    risk = np.abs(own) * spread
    volatility = float(book.std(ddof=1))
    whole = float(risk.sum())
    alike = (volatility**2 - float(risk @ risk)) / (whole**2 - float(risk @ risk)) if (risk > 0.0).sum() > 1 else np.nan
    there = returns[np.isfinite(returns[:, held]).all(axis=1)]
    market = np.asarray(np.nanmean(there, axis=1))
    centred = market - market.mean()
    beta = float(centred @ book / (centred @ centred)) if centred.any() else np.nan
    losses = np.sort(-book)[::-1]
    tail = losses[: max(1, len(losses) // 20)]
    effective = whole**2 / float(risk @ risk) if whole > 0.0 else np.nan
    return Reading(*sizes, effective, volatility * float(np.sqrt(SESSIONS_A_YEAR)), float(alike), beta,
                   float(tail[-1]), float(tail.mean()))


def correlations(returns: FloatArray) -> FloatArray:
    """(names, names) of sessions in which both moved; NaN below twenty of them or where one stood still."""
    count = returns.shape[1]
    told = np.full((count, count), np.nan)
    for one in range(count):
        for other in range(one, count):
            pair = returns[np.isfinite(returns[:, [one, other]]).all(axis=1)][:, [one, other]]
            if len(pair) >= LEAST_SESSIONS and (pair.std(axis=0) > 0.0).all():
                told[one, other] = told[other, one] = float(np.asarray(np.corrcoef(pair.T))[0, 1])
    return told
