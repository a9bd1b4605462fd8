"""One decision: every view again under another future, and what moved."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models.features.feature import Feature
from models.features.inputs import RAW
from pipelines.home import Home
from pipelines.store import build, inputs, read
from pipelines.store.cells import bar_array
from pipelines.store.leak.blame import Blame
from pipelines.store.leak.cells import altered_cells, near, rows_at
from pipelines.store.leak.compare import ROW, Finding, MovedCell, compare, moved_cells
from pipelines.store.leak.facts import Rebuild, Variant
from pipelines.store.leak.sample import chance_of
from pipelines.store.recipe import Recipe, panels_of


class Moment:
    """One decision, and the home's tables as they answer for it."""

    def __init__(
        self, home: Home, at: dt.datetime, recipe: Recipe, *, now: dt.datetime, seed: int, rebuild: Rebuild
    ) -> None:
        self.home, self.at, self.recipe, self.now, self.seed, self.rebuild = home, at, recipe, now, seed, rebuild
        self.panels = {panel: inputs.of_home(home, panel, recipe) for panel in panels_of(recipe)}
        self.compared = 0

    def check(self, variant: Variant, on_cells: Sequence[Variant]) -> list[Finding]:
        """Every view of the recipe against the marts of altered facts, and against altered cells."""
        marts = tuple(sorted({mart for panel in self.panels for mart in self.recipe.sources[panel].marts}))
        with self.rebuild(self.home, self.at, variant, now=self.now, seed=self.seed, only=marts) as con:
            again = {panel: inputs.read(con, panel, self.recipe) for panel in self.panels}
        self.compared += sum(held.table.num_rows * len(RAW[panel]) for panel, held in again.items())
        moved = {panel: moved_cells(held.table, again[panel].table, self.at) for panel, held in self.panels.items()}
        blame, found = Blame(self, variant), []
        for view, features in self.recipe.families().items():
            panel = features[0].cells
            table = pq.read_table(build.table_path(self.home, view))
            here = self._view(table, features, again[panel], moved[panel], variant)
            if here:
                found += [blame.of(finding, self.panels[panel], features, moved[panel]) for finding in here]
                continue
            for other in on_cells:
                altered = self._on_cells(self.panels[panel], table, features, other)
                found += [blame.of(finding, self.panels[panel], features, []) for finding in altered]
        return found

    def _view(
        self, table: pa.Table, features: tuple[Feature, ...], again: inputs.Inputs, moved: list[MovedCell],
        variant: Variant,
    ) -> list[Finding]:
        cells = again.cells
        found = self._compare(table, features, cells, near(cells, self.at), variant)
        if moved or found:  # from the beginning, for the first bad time
            everything = cells.sessions < np.datetime64(self.at.date())
            found = self._compare(table, features, cells, everything, variant)
        if found or not moved:
            return found
        # The inputs moved, and no value of tonight's tables shows it: a leak all the same.
        return [Finding(cell.column if cell.column == ROW else f"({cell.column})", features[0].view, cell.entity,
                        cell.session, self.at.isoformat(), cell.values, variant) for cell in moved]

    def _compare(
        self, table: pa.Table, features: tuple[Feature, ...], cells: Any, wanted: Any, detector: str
    ) -> list[Finding]:
        again = rows_at(cells, features, self.recipe.derive, self.at, wanted)
        self.compared += again.num_rows * len(features)
        days = cells.sessions[wanted]
        # Rows of sessions that the other lake does not know of at all are of the beginning's comparison.
        end = np.array([self.at.date()], "datetime64[D]").astype(cells.sessions.dtype)
        first, end = (bar_array(one)[0] for one in (days[:1] if len(days) else end, end))
        span = table.filter(pc.and_(pc.greater_equal(table["session"], first), pc.less(table["session"], end)))
        return compare(read.newest(span, self.at), again, features, self.at, detector)

    def _on_cells(
        self, held: inputs.Inputs, table: pa.Table, features: tuple[Feature, ...], variant: Variant
    ) -> list[Finding]:
        cells = altered_cells(held.cells, self.at, variant, chance_of("cells", self.seed, self.at, variant))
        found = self._compare(table, features, cells, near(cells, self.at), variant)
        if found:
            found = self._compare(table, features, cells, cells.sessions < np.datetime64(self.at.date()), variant)
        return found
