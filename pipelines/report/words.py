"""Figures and dates as a person reads them. What is not a finite number is a dash, never a crash or a 'nan'."""

import datetime as dt
import math
from typing import Any

DASH = "–"
MINUS = "\N{MINUS SIGN}"


def finite(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def number(value: Any, digits: int = 2, *, sign: bool = False) -> str:
    figure = finite(value)
    if figure is None:
        return DASH
    text = f"{figure:{'+' if sign else ''},.{digits}f}"
    if not text.strip("+-0.,"):  # no negative zero
        text = text.lstrip("+-")
    return text.replace("-", MINUS)


def count(value: Any) -> str:
    return number(value, 0)


def percent(value: Any, digits: int = 1, *, sign: bool = False) -> str:
    figure = finite(value)
    return DASH if figure is None else number(figure * 100, digits, sign=sign) + " %"


def fall(value: Any) -> str:
    """A drawdown, however it was written, as a loss."""
    known = finite(value)
    return percent(None if known is None else -abs(known))


def money(value: Any, *, sign: bool = False) -> str:
    return DASH if finite(value) is None else number(value, 0, sign=sign) + " USD"


def figure(value: Any) -> str:
    """Any value of a check: about three significant digits, or yes and no."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    known = finite(value)
    if known is None:
        return str(value) if isinstance(value, str) else DASH
    size_ = abs(known)
    for at_least, unit in ((1e9, " bn"), (1e6, " m")):
        if size_ >= at_least:
            return number(known / at_least, 2) + unit
    if known == int(known):
        return count(known)
    if size_ < 1e-4:
        return "0" if size_ < 1e-9 else f"{known:.1e}".replace("-", MINUS)
    digits = ((1000, 0), (100, 1), (1, 2), (0.1, 3), (0.0001, 4))
    return number(known, next(n for at_least, n in digits if size_ >= at_least))


def chance(value: Any) -> str:
    """A probability, never rounded to certainty."""
    known = finite(value)
    if known is None:
        return DASH
    return "> 0.999" if 0.9995 <= known <= 1 else "< 0.001" if 0 <= known < 0.0005 else number(known, 3)


def limit(value: Any) -> str:
    """A threshold as it was set: 0.95, not 0.950."""
    known = finite(value)
    return figure(value) if known is None else f"{known:g}".replace("-", MINUS)


def plural(n: Any, thing: str, things: str | None = None) -> str:
    return f"{count(n)} {thing if finite(n) == 1 else things or thing + 's'}"


def duration(seconds: Any) -> str:
    known = finite(seconds)
    if known is None:
        return DASH
    return f"{number(known, 1)} s" if known < 100 else f"{number(known / 60, 1)} min"


def size(n_bytes: Any) -> str:
    known = finite(n_bytes)
    if known is None:
        return DASH
    return f"{count(known)} B" if known < 1000 else f"{number(known / 1000, 0 if known >= 1e5 else 1)} kB"


def digest(value: Any, length: int = 12) -> str:
    return str(value)[:length] if value else DASH


def parse_day(value: Any) -> dt.date | None:
    try:
        return dt.date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


def day(value: Any) -> str:
    known = parse_day(value)
    return f"{known.day} {known:%b %Y}" if known else (str(value) if value else DASH)


def long_day(value: Any) -> str:
    known = parse_day(value)
    return f"{known:%A} {known.day} {known:%B %Y}" if known else str(value)


def moment(value: Any) -> str:
    """An instant as `1 Jul 2025 06:00 UTC`."""
    try:
        known = dt.datetime.fromisoformat(str(value))
    except ValueError:
        return str(value) if value else DASH
    known = known.astimezone(dt.UTC) if known.tzinfo else known.replace(tzinfo=dt.UTC)
    return f"{day(known.date())} {known:%H:%M} UTC"


def span(first: Any, last: Any) -> str:
    return day(first) if first == last else f"{day(first)} – {day(last)}"


def listed(items: list[str], most: int = 6) -> str:
    """`a, b and c`, or the first few and how many more."""
    if len(items) > most:
        items = [*items[: most - 1], f"{len(items) - most + 1} more"]
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1] if items else DASH
