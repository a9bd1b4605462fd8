"""What a tear sheet is drawn from. Whatever was not measured is None or empty, and its section is not drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Comparison:
    """Somebody else's returns on the same sessions."""

    name: str
    net: Floats
    class_: str  # its colour: 'bench' for the market, b1 to b4 for baselines


@dataclass(frozen=True)
class Capacity:
    """The same decisions at another capital, each trade paying for its own size."""

    capital_usd: float
    sharpe_net: float
    sharpe_gross: float
    cost_bp_daily: float
    filled_share: float  # of the value that was wanted, what a day's liquidity let through


@dataclass(frozen=True)
class Bucket:
    """Names that were scored alike: what their score said, and what they then earned (in basis points a session)."""

    said: float
    earned_bp: float
    error_bp: float
    count: int


@dataclass(frozen=True)
class Sheet:
    """Returns are shares of the stated capital, one a session."""

    name: str
    role: str  # 'Champion', 'Candidate', 'Baseline', 'Backtest'
    tone: str  # good, bad, warn or quiet: the colour of the role
    told: str  # one sentence under the title
    sessions: Sequence[str]
    net: Floats
    cash: float  # a session
    capital_usd: float
    gross: Floats | None = None
    active: Floats | None = None
    cost: Floats | None = None
    turnover: Floats | None = None
    exposure: Floats | None = None
    others: Sequence[Comparison] = ()
    folds: Sequence[Mapping[str, Any]] = ()  # first, last, sharpe
    regimes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # state -> sessions, sharpe
    importances: Mapping[str, float] = field(default_factory=dict)
    calibration: Sequence[Bucket] = ()
    capacity: Sequence[Capacity] = ()
    trials: int | None = None
    pbo: float | None = None
    loss_probability: float | None = None
    price_tag: Mapping[str, Any] = field(default_factory=dict)
    trades: Sequence[Mapping[str, Any]] = ()  # of a backtest: R, pnl and the rest
    trade_returns: Floats | None = None  # shares of the account, in order; the sessions' own where None
    facts: Sequence[tuple[str, str]] = ()  # of a backtest: what was counted
    links: Sequence[tuple[str, str]] = ()
    seed: int = 7

    @property
    def excess(self) -> Floats:
        return np.asarray(self.net - self.cash)
