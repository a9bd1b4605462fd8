"""Which dataset or column moved a feature: one at a time altered, until it moves again."""

import dataclasses
from typing import TYPE_CHECKING

from models.features.feature import Feature
from pipelines.store import inputs
from pipelines.store.leak.cells import altered_cells, near, rows_at
from pipelines.store.leak.compare import ROW, Finding, MovedCell, compare, moved_cells
from pipelines.store.leak.facts import Variant, later_datasets
from pipelines.store.leak.sample import chance_of

if TYPE_CHECKING:
    from pipelines.store.leak.moment import Moment


class Blame:
    """Asked only where something moved, so it may take its time; what it finds of a panel it finds once."""

    def __init__(self, moment: "Moment", variant: Variant) -> None:
        self.moment, self.variant = moment, variant
        self._of_panel: dict[str, str] = {}
        self._of_view: dict[str, dict[str, str]] = {}

    def of(
        self, finding: Finding, held: inputs.Inputs, features: tuple[Feature, ...], moved: list[MovedCell]
    ) -> Finding:
        """The finding with its input named."""
        if moved:
            if held.panel not in self._of_panel:
                self._of_panel[held.panel] = self._dataset(held, moved)
            named = self._of_panel[held.panel]
        else:
            if finding.view not in self._of_view:
                self._of_view[finding.view] = self._columns(held, features)
            named = self._of_view[finding.view].get(finding.feature) or f"that {held.panel} has later rows"
        return dataclasses.replace(finding, input=named)

    def _mart(self, panel: str) -> str:
        return "/".join(self.moment.recipe.sources[panel].marts)

    def _dataset(self, held: inputs.Inputs, moved: list[MovedCell]) -> str:
        """The mart's columns that moved, and the facts that move them when they alone are altered: if one kind of them
        moves all that all of them did, that one."""
        through = ", ".join(f"{self._mart(held.panel)}.{cell.column}" if cell.column != ROW
                            else f"rows of {self._mart(held.panel)}" for cell in moved)
        guilty = []
        here = self.moment
        source = here.recipe.sources[held.panel]
        names = later_datasets(here.home, here.at, source.marts)
        for name in sorted(names, key=lambda name: name not in source.facts):
            with here.rebuild(here.home, here.at, self.variant, now=here.now, seed=here.seed, datasets=(name,),
                              only=source.marts) as con:  # fmt: skip
                again = inputs.read(con, held.panel, here.recipe)
            alone = moved_cells(held.table, again.table, here.at)
            if alone == moved:
                guilty = [name]
                break
            if alone:
                guilty.append(name)
        return f"{' and '.join(guilty) or 'facts'} (through {through})"

    def _columns(self, held: inputs.Inputs, features: tuple[Feature, ...]) -> dict[str, str]:
        """Per feature, the columns whose later values move it."""
        at, derive = self.moment.at, self.moment.recipe.derive
        wanted = near(held.cells, at)
        usual = rows_at(held.cells, features, derive, at, wanted)
        guilty: dict[str, list[str]] = {}
        for column in held.cells.values:
            chance = chance_of("blame", self.moment.seed, at, column)
            cells = altered_cells(held.cells, at, "extreme", chance, [column])
            for finding in compare(usual, rows_at(cells, features, derive, at, wanted), features, at):
                guilty.setdefault(finding.feature, []).append(f"{self._mart(held.panel)}.{column}")
        return {feature: ", ".join(columns) for feature, columns in guilty.items()}
