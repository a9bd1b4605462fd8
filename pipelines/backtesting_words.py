"""What a person types for a backtest, understood or refused in a sentence that says what would do."""

import difflib
import json
import math
from dataclasses import fields
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

if TYPE_CHECKING:
    from models.intraday import Intraday, Size, StopRule

# With what each cannot do without.
STOPS = {"fixed": ("pct",), "atr": (), "trailing": (), "time": ("bars",), "volume": ()}
STOP_WORDS = ("pct", "multiple", "reward_risk", "bars", "buffer_ticks")


def intraday_of(rule: str, every: int, size: str, stop: str | None, flat: bool) -> "Intraday":
    """A rule as it is typed: `ema_cross:fast=10,slow=20`, `shares:100` or `weight:0.1`, `atr:multiple=2`."""
    from models.intraday import Intraday
    from models.signals.intraday import RULES

    name, told = _split("rule", rule, list(RULES))
    kind = RULES[name]
    hints = get_type_hints(kind)
    known = {field.name: hints[field.name] for field in fields(kind)}
    values = {key: _value(f"{name}'s {key}", text, known[key]) for key, text in _pairs(name, told, list(known)).items()}
    return Intraday(every, kind(**values), size_of(size), stop_of(stop) if stop is not None else None, flat)


def size_of(text: str) -> "Size":
    from models.intraday import Size

    methods = list(get_args(get_type_hints(Size)["method"]))
    name, told = _split("size", text, methods)
    if not told:
        raise ValueError(f"--size {name} lacks its amount: write {name}:{100 if name == 'shares' else 0.1}")
    amount = _value(f"the amount of --size {name}", told, float)
    if not 0.0 < amount < math.inf:
        raise ValueError(f"--size {text}: an amount is above nought; the rule says which side")
    return Size(name, amount)  # type: ignore[arg-type]


def stop_of(text: str) -> "StopRule":
    from models.intraday import StopRule

    name, told = _split("stop", text, list(STOPS))
    kinds: dict[str, type] = {**dict.fromkeys(STOP_WORDS, float), "bars": int}
    values = {key: _value(f"{name}'s {key}", text, kinds[key])
              for key, text in _pairs(name, told, list(STOP_WORDS)).items()}
    for key in STOPS[name]:
        if key not in values:
            raise ValueError(f"--stop {name} lacks {key}: write {name}:{key}={30 if key == 'bars' else 0.01}")
    for key, value in values.items():
        if not 0 < value < math.inf:
            raise ValueError(f"--stop {text}: {key} is above nought")
    return StopRule(name, **values)  # type: ignore[arg-type]


def _split(what: str, text: str, known: list[str]) -> tuple[str, str]:
    name, _, rest = text.partition(":")
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise ValueError(f"--{what} '{name}' is not known{hint}: choose one of {', '.join(known)}")
    return name, rest


def _pairs(name: str, text: str, known: list[str]) -> dict[str, str]:
    told = {}
    for part in filter(None, text.split(",")):
        key, equals, value = part.partition("=")
        if not equals or key not in known:
            raise ValueError(f"{name} takes {', '.join(known)} as key=value, separated by commas, not '{part}'")
        told[key] = value
    return told


def _value(what: str, text: str, kind: Any) -> Any:
    """A whole number, a number, or true and false, as the rule wants it."""
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    wants = {bool: "true or false", int: "a whole number"}.get(kind, "a number")
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        raise ValueError(f"{what} is {wants}, not '{text}'")
    return value
