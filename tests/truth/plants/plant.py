"""One planted leak: what is wrong with the recipe, who must catch it, and what must be named."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models.features.feature import Feature, FloatArray
from models.features.inputs import derive
from pipelines.store.recipe import Recipe
from pipelines.store.sources import SOURCES
from pipelines.store.versions import Derive

Column = Callable[[dict[str, FloatArray]], FloatArray]


def newest(**windows: FloatArray) -> FloatArray:
    (window,) = windows.values()
    return window[..., -1]


def feature(column: str, cells: str = "equity", entity: str = "instrument") -> Feature:
    """The value of a column as it stands."""
    return Feature("planted", "planted", entity, (column,), 1, newest, "A planted leak.", cells=cells)


def peeking(column: Column, *, everywhere: bool) -> Derive:
    """The usual columns, and one that is made of a whole panel at once; of names without a bar only if `everywhere`."""

    def derived(cells: str, raw: dict[str, FloatArray]) -> dict[str, FloatArray]:
        columns = derive(cells, raw)
        with np.errstate(all="ignore"):
            peek = column(columns)
        columns["peek"] = np.where(np.isfinite(columns["close"]) | everywhere, peek, np.nan)
        return columns

    return derived


@dataclass(frozen=True)
class Plant:
    """`detector` and `blamed` must stand in the finding; an empty `blamed` leaves the input open."""

    number: str
    name: str
    recipe: Recipe
    blamed: str = ""
    detector: str = ""

    @property
    def label(self) -> str:
        return f"{self.number}-{self.name}"


def of_column(number: str, name: str, column: Column, blamed: str = "daily_bars.close", detector: str = "") -> Plant:
    """A leak in the derivation of a column."""
    derived = peeking(column, everywhere=detector == "presence audit")
    return Plant(number, name, Recipe(f"{number}-{name}", (feature("peek"),), derived), blamed, detector)


def of_cells(
    number: str, name: str, panel: str, sql: str, column: str, blamed: str = "", detector: str = ""
) -> Plant:
    """A leak in how cells are read from the marts, under a feature that is the column itself."""
    import dataclasses

    sources = {**SOURCES, panel: dataclasses.replace(SOURCES[panel], sql=sql)}
    entity = {"equity": "instrument", "options": "underlying", "futures": "root"}[panel]
    recipe = Recipe(f"{number}-{name}", (feature(column, panel, entity),), sources=sources)
    return Plant(number, name, recipe, blamed, detector)
