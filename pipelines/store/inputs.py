"""A panel's cells, read once a night however many views are made of them, and their digests."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipelines.home import Home
from pipelines.store import cells as cells_of
from pipelines.store import manifest
from pipelines.store.recipe import USUAL, Recipe
from pipelines.store.sources import SOURCES

KEPT_PANELS = 16


@dataclass(frozen=True)
class Inputs:
    """Every version of every cell of a panel; and a digest of each (entity, session)."""

    panel: str
    table: pa.Table

    @cached_property
    def digests(self) -> pa.Table:
        """Only who looks for what changed needs them."""
        import duckdb

        with duckdb.connect(config={"threads": 1}) as con:
            con.execute("set TimeZone = 'UTC'")
            return manifest.of_cells(con, self.table, self.panel)

    @cached_property
    def cells(self) -> cells_of.Cells:
        return cells_of.from_table(self.table, self.panel)


def read(con: Any, panel: str, recipe: Recipe = USUAL) -> Inputs:
    """From a connection that has the marts' `<mart>_versions` views."""
    return Inputs(panel, cells_of.read(con, panel, recipe.sources))


@lru_cache(maxsize=KEPT_PANELS)
def _of_generation(folder: Path, panel: str) -> Inputs:
    from pipelines.lake.views import open_folder

    with open_folder(folder) as con:
        return read(con, panel)


def of_home(home: Home, panel: str, recipe: Recipe = USUAL) -> Inputs:
    """From the home's current marts. A generation is named by its content, so what was read of it stays true."""
    from pipelines.lake import marts

    if recipe.sources is SOURCES:
        return _of_generation(marts.current(home), panel)
    with marts.connect(home) as con:
        return read(con, panel, recipe)
