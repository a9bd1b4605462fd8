"""The gate itself: at each sampled decision another future, from the raw layer and on the cells, and what moved."""

import datetime as dt
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models.features.compute import compute_tail
from models.features.feature import Feature
from models.features.inputs import RAW
from models.features.registry import view_look_back
from pipelines import digest
from pipelines.home import Home
from pipelines.store import build, inputs, read
from pipelines.store.cells import bar_array
from pipelines.store.leak.audit import audit
from pipelines.store.leak.blame import Blame
from pipelines.store.leak.cells import altered_cells, near, of_sessions, rows_at
from pipelines.store.leak.compare import ROW, Finding, MovedCell, bits, compare, moved_cells
from pipelines.store.leak.facts import Rebuild, Variant, rebuilt
from pipelines.store.leak.sample import chance_of, sample_decisions
from pipelines.store.recipe import USUAL, Recipe, panels_of, views_of


@dataclass(frozen=True)
class LeakResult:
    decision_times: tuple[dt.datetime, ...]
    variants: tuple[str, ...]  # of each decision, from the raw layer
    findings: tuple[Finding, ...]
    compared_values: int

    @property
    def passed(self) -> bool:
        return not self.findings


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
        with self.rebuild(self.home, self.at, variant, now=self.now, seed=self.seed) as con:
            again = {panel: inputs.read(con, panel, self.recipe) for panel in self.panels}
        self.compared += sum(held.table.num_rows * len(RAW[panel]) for panel, held in again.items())
        moved = {panel: moved_cells(held.table, again[panel].table, self.at) for panel, held in self.panels.items()}
        blame, found = Blame(self, variant), []
        for view, features in self.recipe.families().items():
            panel = features[0].cells
            table = read.rows_as_of(self.home, view, self.at)
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
        return compare(span, again, features, self.at, detector)

    def _on_cells(
        self, held: inputs.Inputs, table: pa.Table, features: tuple[Feature, ...], variant: Variant
    ) -> list[Finding]:
        cells = altered_cells(held.cells, self.at, variant, chance_of("cells", self.seed, self.at, variant))
        found = self._compare(table, features, cells, near(cells, self.at), variant)
        if found:
            found = self._compare(table, features, cells, cells.sessions < np.datetime64(self.at.date()), variant)
        return found


def leak_check(
    home: Home, *, now: dt.datetime, moments: Iterable[dt.datetime], seed: int = 0, recipe: Recipe = USUAL,
    variants: Sequence[Variant] | None = None, rebuild: Rebuild = rebuilt,
) -> LeakResult:
    """Look at every view at these decisions. Without `variants` each decision has one from the raw layer and another
    on the cells: truncation at the first, the other two in turns by night; else each decision has all of those, and
    both others on the cells."""
    found: list[Finding] = []
    compared, used = 0, []
    for number, at in enumerate(sorted(moments)):
        for raw, on_cells in _plan(number, at, variants):
            moment = Moment(home, at, recipe, now=now, seed=seed, rebuild=rebuild)
            found += moment.check(raw, on_cells)
            compared += moment.compared
            used.append(raw)
    return LeakResult(tuple(sorted(moments)), tuple(used), tuple(_once(found)), compared)


def _plan(
    number: int, at: dt.datetime, variants: Sequence[Variant] | None
) -> list[tuple[Variant, tuple[Variant, ...]]]:
    turn: Variant = "scramble" if at.toordinal() % 2 else "extreme"
    other: Variant = "extreme" if turn == "scramble" else "scramble"
    if variants is not None:
        return [(variant, ("scramble", "extreme")) for variant in variants]
    return [("truncate", (turn,)) if number % 2 == 0 else (turn, (other,))]


def _once(found: list[Finding]) -> list[Finding]:
    """The same feature at the same decision is told once, however many variants moved it."""
    told: dict[tuple[str, str, str], Finding] = {}
    for finding in found:
        told.setdefault((finding.view, finding.feature, finding.decision_time), finding)
    return list(told.values())


def parity_check(home: Home, as_of: dt.datetime, recipe: Recipe = USUAL) -> list[str]:
    """Features whose last session, computed over a tail as live does, differs from the table's; empty when equal."""
    broken = []
    for panel in panels_of(recipe):
        known = inputs.of_home(home, panel, recipe)
        bars = read.panel_of(known, as_of, recipe.derive)
        for view in views_of(recipe, panel) if len(bars.sessions) else ():
            declared = recipe.families()[view]
            rows = of_sessions(read.rows_as_of(home, view, as_of), bars.sessions[-1:])
            place = [bars.names.index(name) for name in rows[rows.column_names[0]].to_pylist()]
            tail = compute_tail(bars.tail(view_look_back(declared)), declared)
            for feature in declared:
                if (bits(rows, feature.name) != np.ascontiguousarray(tail[feature.name][place]).view(np.int64)).any():
                    broken.append(feature.ref)
    return broken


def run_gate(
    home: Home, *, now: dt.datetime, seed: int, decision_times: int, recipe: Recipe = USUAL
) -> dict[str, Any]:
    """All checks, once for the same tables and the same sample; the section `leak` of tonight's story."""
    begun = time.perf_counter()
    declared = recipe.families()
    told = [build.published_digests(home), seed, decision_times, recipe.name, 2,
            [[feature.declaration() for feature in features] for features in declared.values()]]  # fmt: skip
    key, held = digest.json_digest(told), home.read_section("leak")
    if held.get("key") == key:
        return held
    days = sorted(set(pq.read_table(build.table_path(home, "equity_v1"), columns=["session"])["session"].to_pylist()))
    sample = [at for at in sample_decisions(days, seed=seed, count=decision_times) if at <= now]
    result = leak_check(home, now=now, moments=sample, seed=seed, recipe=recipe)
    findings = [*result.findings, *audit(home, now, recipe)]
    broken = sorted({name for at in (now, *sample) for name in parity_check(home, at, recipe)})
    section = {
        "key": key, "passed": not findings, "parity_passed": not broken, "parity_broken": broken,
        "decision_times": [at.isoformat() for at in result.decision_times], "variants": list(result.variants),
        "compared_values": result.compared_values, "findings": [asdict(finding) for finding in findings],
        "seconds": round(time.perf_counter() - begun, 2),
    }  # fmt: skip
    home.write_section("leak", section)
    return section
