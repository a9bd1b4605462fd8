"""`PortfolioOptimizer`: the constructions of this package under one name, for weights by name from returns by name."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from models.portfolio.allocation import Allocation, Method

FloatArray = npt.NDArray[np.float64]


class Columns(Protocol):
    """A DataFrame or a mapping: (sessions,) excess returns by name, oldest first, all of one length."""

    def keys(self) -> Iterable[Any]: ...

    def __getitem__(self, name: Any, /) -> Any: ...


class PortfolioOptimizer:
    """A thin shell over `Allocation`, which says what every method does with a short record and with losers."""

    def __init__(self, allocation: Allocation | None = None) -> None:
        self.allocation = allocation or Allocation()

    def optimize(self, returns: Columns, method: Method | None = None) -> dict[str, float]:
        """Shares of the capital by name: `mean_variance` (Markowitz), `risk_parity`, `hrp`, `kelly`, `tangency`,
        `thompson` and `ucb` (bandits), `equal`; the allocation's own where none is named."""
        names = list(returns.keys())
        if not names:
            raise ValueError("no returns were given: there is nothing to share the capital among")
        told: FloatArray = np.stack([np.asarray(returns[name], dtype=np.float64) for name in names], axis=1)
        if not np.isfinite(told).all():
            raise ValueError("returns must be finite: cut what began later or ended sooner first")
        chosen = self.allocation if method is None else replace(self.allocation, method=method)
        return dict(zip(map(str, names), chosen.shares(told).tolist(), strict=True))
