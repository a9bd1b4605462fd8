"""Leaks of the textbook, planted one by one in a feature or in the cells it reads, for the gate to catch and to name.

Numbers are the catalogue's: L1 smoothed states, L2 later factors applied backwards, L3 survivors only, L4 restated bars
under their first date, L7 bars stamped at the open, L8 next morning's figures the same day, L9 wrong zones, L10 values
carried over a halt, L11 the target itself, L13 windows that reach ahead, L14 graphs of the whole sample; LX our own.
"""

from tests.truth.plants.cells import CELL_PLANTS
from tests.truth.plants.columns import COLUMN_PLANTS
from tests.truth.plants.plant import Plant

PLANTS: tuple[Plant, ...] = (*COLUMN_PLANTS, *CELL_PLANTS)

__all__ = ["PLANTS", "Plant"]
