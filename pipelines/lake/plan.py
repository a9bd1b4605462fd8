"""What a night wants to have of the vendors, before anybody looks at what is held."""

import datetime as dt
from dataclasses import dataclass

from pipelines.lake import more_asks


@dataclass(frozen=True)
class Plan:
    """Sessions to have of each kind, oldest first, and of what: no symbols means the whole market. `archive` asks Cboe
    for past chains, which only the sandbox has."""

    days: tuple[dt.date, ...]
    minutes: tuple[dt.date, ...]
    chains: tuple[dt.date, ...]
    ticks: tuple[dt.date, ...]
    catch_up: int = 0  # of the newest sessions: those among them whose trades a missed night left out are asked for
    archive: bool = False
    symbols: tuple[str, ...] = ()
    chain_symbols: tuple[str, ...] = ("_SPX",)
    roots: tuple[str, ...] = ("ES",)
    schemas: tuple[str, ...] = ("trades",)  # of what is told of these roots
    extras: tuple[str, ...] = ()  # more of them, as far as the night's price allows
    more: more_asks.More = more_asks.More()
