"""The three horizons that a rule can be of. Which one it is follows from how long it holds."""

import datetime as dt
from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True)
class Span:
    """Holding times from `shortest` up to, not including, `longest`; `asks` is what a rule of this span foretells."""

    shortest: dt.timedelta
    longest: dt.timedelta
    asks: tuple[str, ...]


class Horizon(Enum):
    MICROSTRUCTURE = Span(dt.timedelta(0), dt.timedelta(minutes=5),
                          ("execution", "spread capture", "queue position"))
    INTRADAY = Span(dt.timedelta(minutes=5), dt.timedelta(days=1), ("return", "hit probability"))
    SWING = Span(dt.timedelta(days=1), dt.timedelta.max, ("trend or reversion", "factor", "cross-section"))

    @classmethod
    def holding(cls, time: dt.timedelta) -> "Horizon":
        """The horizon of a rule that holds so long."""
        return next(one for one in cls if one.value.shortest <= time < one.value.longest)
