"""The gate's bars as one reviewed file with named presets; changing one changes how often noise is promoted."""

import hashlib
import json
import tomllib
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("policy.toml")


@dataclass(frozen=True)
class GatePolicy:
    """The bars of one preset. Those that are None are not asked for."""

    name: str = "default"
    min_dsr: float = 0.95
    max_loss_probability: float = 0.20
    max_spa_p: float = 0.05
    cost_stress: float = 2.0
    min_trials: int = 10
    blocks: int = 16
    min_sharpe: float | None = None  # annual, of active returns
    min_third_sharpe: float | None = None  # annual, in each third of the judged sessions
    max_drift_alarms: int | None = None  # features that have moved

    def told(self) -> dict[str, Any]:
        """The bars that are asked for: what a record keeps, and what it is judged by again."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def digest(self) -> str:
        """Of the bars on returns, whatever they are called: to it a calibration belongs, whose markets cannot drift."""
        bars = {name: value for name, value in self.told().items() if name not in ("name", "max_drift_alarms")}
        return hashlib.sha256(json.dumps(bars, sort_keys=True).encode()).hexdigest()

    def with_bars(self, bars: dict[str, Any]) -> "GatePolicy":
        return replace(self, **bars)


@lru_cache
def presets() -> dict[str, GatePolicy]:
    """Every preset of the reviewed file; a bar it does not know is an error, not a bar that is off."""
    found = tomllib.loads(FILE.read_text())
    return {name: GatePolicy(name=name, **{key: value for key, value in bars.items()
                                           if key != "words" and not isinstance(value, dict)})  # tables are rungs
            for name, bars in found.items()}


@lru_cache
def words() -> dict[str, str]:
    """What each preset asks, in a sentence."""
    return {name: str(bars["words"]) for name, bars in tomllib.loads(FILE.read_text()).items()}


def preset(name: str) -> GatePolicy:
    found = presets().get(name)
    if found is None:
        raise ValueError(f"no gate preset '{name}'; known: {', '.join(presets())}")
    return found
