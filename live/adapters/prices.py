"""Prices as US venues take them: cents from a dollar on, hundredths of a cent below."""

import math


def in_ticks(price: float, quantity: int) -> str:
    """Rounded so that the order promises no more than was meant: a buyer's limit down, a seller's up."""
    steps, digits = (100.0, 2) if price >= 1.0 else (10_000.0, 4)
    whole = price * steps
    return f"{(math.floor(whole + 1e-6) if quantity > 0 else math.ceil(whole - 1e-6)) / steps:.{digits}f}"
