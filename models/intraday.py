"""What a strategy that decides inside the session adds to one that decides before it: when, how much, and its stop."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from models.signals.intraday import EmaCross, Reversion, rule_from_json, rule_to_json

SLOT = "intraday"  # the first word of such a strategy's slot: what its manifest says


@dataclass(frozen=True)
class StopRule:
    """Where a stop is placed at entry; what a method does not use may stay as it is. `reward_risk` sets a target at
    that multiple of the distance, `bars` (minutes) ends the position after so many."""

    method: Literal["fixed", "atr", "trailing", "time", "volume"] = "atr"
    pct: float | None = None
    multiple: float = 2.0  # of ATR(14) of daily bars
    reward_risk: float | None = None
    bars: int | None = None
    buffer_ticks: float = 1.0


@dataclass(frozen=True)
class Size:
    """How many shares a whole side (1) is. `weight`: `amount` of capital; `shares`: that many; the others are methods
    of `PositionSizer` with `amount` of the capital at risk."""

    method: Literal["weight", "shares", "fixed_fractional", "atr", "volatility"] = "weight"
    amount: float = 0.1


@dataclass(frozen=True)
class Slices:
    """An entry or exit spread over so many minutes. In a regime named in `whole_in` it goes at once: what
    waits there costs more than what hurries."""

    method: Literal["twap", "vwap"] = "twap"
    minutes: int = 10
    whole_in: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 2 <= self.minutes <= 390:
            raise ValueError(f"an order in {self.minutes} slices is none, or none that fits into a session")


@dataclass(frozen=True)
class Intraday:
    """Decide at the end of every `every_minutes`, fill at the next minute's open. Without a rule the models decide, on
    rows of so many minutes."""

    every_minutes: int = 5
    rule: EmaCross | Reversion | None = None
    size: Size = Size()
    stop: StopRule | None = None
    flat_at_close: bool = False
    slices: Slices | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.every_minutes <= 390:
            raise ValueError(f"a bar of {self.every_minutes} minutes fits into no session")

    def to_json(self) -> dict[str, Any]:
        told = {**asdict(self), "rule": rule_to_json(self.rule) if self.rule is not None else None}
        if self.slices is not None:
            told["slices"]["whole_in"] = list(self.slices.whole_in)
        return told

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> "Intraday":
        values = dict(told)
        rule, size, stop, slices = (values.pop(name, None) for name in ("rule", "size", "stop", "slices"))
        if slices is not None:
            slices = Slices(**{**slices, "whole_in": tuple(slices["whole_in"])})
        return cls(**values, rule=rule_from_json(rule) if rule is not None else None,
                   size=Size(**size) if size is not None else Size(), slices=slices,
                   stop=StopRule(**stop) if stop else None)
