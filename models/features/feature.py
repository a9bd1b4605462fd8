"""What a feature is: one declaration that research, training and live all read."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
# Keyword windows (sessions, names, look_back), C-contiguous, oldest first -> (sessions, names). `Any` because
# every kernel names its own inputs.
Kernel = Callable[..., FloatArray]


@dataclass(frozen=True)
class Block:
    """A kernel for many features at once, where they share most of their work.

    `fill(**inputs, into=…)` gets whole columns (sessions, names) and a dict of every one of `columns` to fill, each
    (sessions - look_back + 1, names). It must treat each name alone, and a session by the `look_back` that end with it:
    batch hands it a few names at a time, in either memory order. One that compares names says `together`.
    """

    columns: tuple[str, ...]
    fill: Callable[..., None]
    together: bool = False


# Longest quiet spell between a close and the next decision is a holiday week-end; a row older than this is nobody's.
DAILY_STALENESS = dt.timedelta(days=5)


@dataclass(frozen=True)
class Feature:
    """`look_back` counts bars, today's included; `inputs` name columns of a panel of cells (models/features/inputs.py).

    Families that read the same panel name the same `cells`; one of its own is the default.
    """

    name: str
    family: str
    entity: str
    inputs: tuple[str, ...]
    look_back: int
    kernel: Kernel | Block
    description: str
    version: int = 1
    staleness: dt.timedelta = DAILY_STALENESS
    owner: str = "team:nightdesk"
    bounds: tuple[float, float] | None = None  # what its formula can give at most; outside is a fault, not a market
    cells: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "cells", self.cells or self.family)

    @property
    def view(self) -> str:
        """The table, Feast view and asset this feature lives in."""
        return f"{self.family}_v{self.version}"

    @property
    def ref(self) -> str:
        """Its full name, which no other feature and no other version of it has."""
        return f"{self.view}:{self.name}"

    def declaration(self) -> dict[str, Any]:
        """All that changes its values, apart from the code itself."""
        kernel = self.kernel.fill if isinstance(self.kernel, Block) else self.kernel
        return {
            "name": self.name, "family": self.family, "version": self.version, "cells": self.cells,
            "inputs": list(self.inputs),
            "look_back": self.look_back, "kernel": f"{kernel.__module__}.{kernel.__qualname__}",
        }
