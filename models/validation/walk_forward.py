"""`WalkForwardValidator` with all that people know it by. The folds are `models.splits`', which every fit runs through:
what shuffles trades is no code of a fit, and stands here."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from models import splits
from models.validation.montecarlo import ConfidenceInterval, monte_carlo


@dataclass(frozen=True)
class WalkForwardValidator(splits.WalkForwardValidator):
    """Folds in time order, and what the order of trades has to do with their outcome."""

    def monte_carlo(self, trades: ArrayLike, n_simulations: int = 1000, *, seed: int = 7) -> ConfidenceInterval:
        """Whether what came depends on its order: the deepest drawdown of these returns, in time order, beside that of
        so many shuffles of them, which keep all else. `models.validation.monte_carlo` has the other figures."""
        return monte_carlo(np.asarray(trades, dtype=np.float64), n_simulations, seed=seed).max_drawdown
