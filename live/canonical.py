"""One text for one value: canonical JSON whose floats come back bit for bit, and the ids that are made of it."""

import hashlib
import json
import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

# JSON has no words for these; a missing number is null.
_WORDS = {"inf": math.inf, "-inf": -math.inf}


def plain(value: float) -> float | str | None:
    """A float as JSON can hold it: NaN is null, the infinities are words."""
    number = float(value)
    if -math.inf < number < math.inf:
        return number
    return None if number != number else str(number)


NOTHING = hashlib.sha256()  # a copy is made in half the time of a new one


def packed(values: Iterable[float] | NDArray[np.float64]) -> list[Any]:
    """An array of any rank as nested lists of JSON numbers."""
    if type(values) is tuple:  # a rule's memory, thousands of times: no array is made for it
        told: list[Any] = [float(value) for value in values]
        return told if -math.inf < sum(told) < math.inf else [plain(value) for value in told]
    array = np.asarray(values, dtype=np.float64)
    if np.isfinite(array).all():
        whole: list[Any] = array.tolist()
        return whole
    told_of = array.astype(object)
    told_of[np.isnan(array)] = None
    for word, infinity in _WORDS.items():
        told_of[array == infinity] = word
    told = told_of.tolist()
    return told


def unpacked(values: list[Any]) -> NDArray[np.float64]:
    """The array that `packed` was given, bit for bit (NaNs become the one quiet NaN)."""

    def number(value: Any) -> Any:
        if isinstance(value, list):
            return [number(part) for part in value]
        return math.nan if value is None else _WORDS.get(value, value)

    return np.array(number(values), dtype=np.float64)


def _unknown(value: Any) -> Any:
    """What is no JSON itself may know how it is told."""
    if not hasattr(value, "told"):
        raise TypeError(f"{type(value).__name__} is not JSON")
    return value.told()


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False,
                            default=_unknown)
quoted = json.encoder.encode_basestring  # one string, as `text` writes it


def _encoder() -> Callable[[Any], str]:
    """`_ENCODER.encode`, made once where CPython's C encoder is there: making it is half of the work of a small row."""
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return _ENCODER.encode
    encode = make(None, _unknown, quoted, None, ":", ",", True, False, False)
    return lambda value: "".join(encode(value, 0))


text = _encoder()  # sorted keys, no spaces, no NaN: equal values give equal bytes


def name_of(kind: str, *parts: str) -> str:
    """A permanent id from what it identifies: the same decision made twice is the same decision."""
    digest = NOTHING.copy()
    digest.update("\x1f".join((kind, *parts)).encode())
    return f"{kind[0]}-{digest.hexdigest()[:20]}"


def names_of(kind: str, *parts: str) -> Callable[..., str]:
    """`name_of` for many that begin with the same parts: from the others to the id."""
    begun, letter = hashlib.sha256("\x1f".join((kind, *parts)).encode()), kind[0]

    def named(*rest: str) -> str:
        digest = begun.copy()
        digest.update("\x1f".join(("", *rest)).encode())
        return f"{letter}-{digest.hexdigest()[:20]}"

    return named
