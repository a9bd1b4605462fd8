"""What a regime model is fitted on, and how."""

from dataclasses import dataclass

STATES = ("Bull", "Bear", "HighVol_Chop", "LowVol_Chop")


@dataclass(frozen=True)
class HmmConfig:
    """`window` decision sessions are filtered forward for each posterior, in batch and live alike."""

    features: tuple[str, ...] = ("mkt_ret_1", "mkt_vol_20", "mkt_volume_z")
    window: int = 60
    iterations: int = 60
    min_covariance: float = 1e-2  # of standardised features: no state collapses onto a few days
    stickiness: float = 20.0  # pseudo-counts on staying: regimes last weeks, not days
    min_sessions: int = 120
