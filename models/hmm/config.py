"""What a regime model is fitted on, and how."""

from dataclasses import dataclass
from typing import Literal

from models.options import option

STATES = ("Bull", "Bear", "HighVol_Chop", "LowVol_Chop")


@dataclass(frozen=True)
class HmmConfig:
    """`window` decision sessions are filtered forward for each posterior, in batch and live alike.

    Of the columns observed, `features` and then `median`, the first is a return and the second a volatility: states
    are named by these two. What comes after them (volume, ATR, …) only helps to tell states apart."""

    features: tuple[str, ...] = ("mkt_ret_1", "mkt_vol_20", "mkt_volume_z")
    window: int = 60
    iterations: int = 60
    min_covariance: float = 1e-2  # of standardised features: no state collapses onto a few days
    stickiness: float = 20.0  # pseudo-counts on staying: regimes last weeks, not days
    min_sessions: int = 120
    median: tuple[str, ...] = option(())  # columns of single names (atr_14, …), seen as the median of the tradable
    naming: Literal["extremes", "corners"] = option("extremes")  # by order, or by nearness to where each regime lies
    restarts: int = option(0)  # searches from other corners beside the first; the likeliest is kept

    @property
    def columns(self) -> tuple[str, ...]:
        """Of the panel, that a fit and a posterior read."""
        return (*self.features, *self.median)
