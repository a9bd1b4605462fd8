"""What a trade costs. The judge and live call these same functions, so a figure judged is a figure paid."""

import math
import tomllib
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CostModel:
    """Every rate that a return is charged with. `stress` multiplies what trading and borrowing cost."""

    capital_usd: float
    cash_rate_annual: float
    sessions_a_year: int
    half_tick_usd: float
    half_spread_bp: float
    impact: float
    max_share_of_adv: float
    fee_usd_per_share: float
    borrow_rate_annual: float
    stress: float = 1.0

    def __post_init__(self) -> None:
        """A person writes these: what cannot be is said here, and not found in returns that are no numbers."""
        for one in fields(self):
            value, least = getattr(self, one.name), -math.inf if one.name == "cash_rate_annual" else 0.0
            if not least <= value < math.inf or (value == 0.0 and one.name in ("capital_usd", "sessions_a_year")):
                raise ValueError(f"{one.name} of a cost model is {value:g}: there are no returns on that")

    @classmethod
    def from_toml(cls, text: str) -> "CostModel":
        values = tomllib.loads(text)
        return cls(**values["account"], **values["equity"])

    @classmethod
    def default(cls) -> "CostModel":
        return cls.from_toml(Path(__file__).with_name("costs.toml").read_text())

    def stressed(self, times: float) -> "CostModel":
        """The same market with trading and borrowing `times` as dear."""
        return replace(self, stress=times)

    @property
    def cash_rate_session(self) -> float:
        return self.cash_rate_annual / self.sessions_a_year


def half_spread_usd(model: CostModel, price: npt.ArrayLike) -> FloatArray:
    """Dollars a share from mid to touch."""
    return np.maximum(model.half_tick_usd, np.asarray(price, np.float64) * (model.half_spread_bp * 1e-4))


def trade_cost(
    model: CostModel, shares: npt.ArrayLike, price: npt.ArrayLike, adv20_usd: npt.ArrayLike, vol20_daily: npt.ArrayLike
) -> FloatArray:
    """Dollars lost by trading `shares` (signed) at `price`: spread, impact and fee. Scalar and array agree in bits.

    Only elementwise IEEE operations are used, in one fixed order, so the shape of the input cannot matter.
    """
    quantity = np.abs(np.asarray(shares, np.float64))
    notional = quantity * np.asarray(price, np.float64)
    participation = notional / np.asarray(adv20_usd, np.float64)
    impact = (model.impact * np.asarray(vol20_daily, np.float64)) * np.sqrt(participation)
    cost = quantity * half_spread_usd(model, price) + notional * impact + quantity * model.fee_usd_per_share
    return np.where(quantity == 0.0, 0.0, cost * model.stress)


class Bill(NamedTuple):
    """What one fill costs, in dollars: the whole, and its parts."""

    cost: float
    spread: float
    fee: float
    impact: float


def bill(model: CostModel, shares: float, price: float, adv20_usd: float, vol20_daily: float) -> Bill:
    """`trade_cost` of one fill to the bit, without an array's overhead: a venue asks it thousands of times."""
    quantity = abs(shares)
    notional = quantity * price
    impact = (model.impact * vol20_daily) * math.sqrt(notional / adv20_usd)
    half_spread = max(model.half_tick_usd, price * (model.half_spread_bp * 1e-4))
    cost = (quantity * half_spread + notional * impact + quantity * model.fee_usd_per_share) * model.stress
    spread, fee = quantity * half_spread * model.stress, quantity * model.fee_usd_per_share * model.stress
    return Bill(cost, spread, fee, cost - spread - fee)


def capped_shares(
    model: CostModel, shares: npt.ArrayLike, price: npt.ArrayLike, adv20_usd: npt.ArrayLike
) -> FloatArray:
    """The part of a trade that a session's liquidity allows, in whole shares; nothing where liquidity is unknown."""
    wanted = np.asarray(shares, np.float64)
    limit = np.floor(model.max_share_of_adv * np.asarray(adv20_usd, np.float64) / np.asarray(price, np.float64))
    limit = np.where(np.isfinite(limit), limit, 0.0)
    return np.clip(wanted, -limit, limit)


def target_shares(weights: npt.ArrayLike, capital_usd: float, reference_price: npt.ArrayLike) -> FloatArray:
    """Whole shares for a weight of the stated capital, at the last price known when it was decided."""
    wanted = np.asarray(weights, np.float64) * capital_usd / np.asarray(reference_price, np.float64)
    return np.trunc(np.where(np.isfinite(wanted), wanted, 0.0))


def borrow_cost(model: CostModel, position_usd: npt.ArrayLike) -> FloatArray:
    """Dollars for holding these signed values over one session: only shorts pay."""
    short = np.maximum(0.0, -np.asarray(position_usd, np.float64))
    return short * (model.borrow_rate_annual / model.sessions_a_year) * model.stress


def cash_interest(model: CostModel, cash_usd: npt.ArrayLike) -> FloatArray:
    """Dollars that idle cash earns over one session."""
    return np.asarray(cash_usd, np.float64) * model.cash_rate_session
