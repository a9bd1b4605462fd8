"""The gate itself: at each sampled decision another future, from the raw layer and on the cells, and what moved."""

import datetime as dt
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from models.features.compute import compute_tail
from models.features.registry import view_look_back
from pipelines import digest
from pipelines.home import Home
from pipelines.progress import say
from pipelines.store import build, inputs, read
from pipelines.store.cells import bar_array
from pipelines.store.leak.audit import audit
from pipelines.store.leak.compare import Finding, bits
from pipelines.store.leak.facts import Rebuild, Variant, rebuilt
from pipelines.store.leak.moment import Moment
from pipelines.store.leak.sample import sample_decisions
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


def leak_check(
    home: Home, *, now: dt.datetime, moments: Iterable[dt.datetime], seed: int = 0, recipe: Recipe = USUAL,
    variants: Sequence[Variant] | None = None, rebuild: Rebuild = rebuilt,
) -> LeakResult:
    """Look at every view at these decisions. Without `variants` each decision has one from the raw layer and another
    on the cells: truncation at the first, the other two in turns by night; else each decision has all of those, and
    both others on the cells."""
    found: list[Finding] = []
    compared, used, chosen = 0, [], sorted(moments)
    for number, at in enumerate(chosen):
        for raw, on_cells in _plan(number, at, variants):
            moment = Moment(home, at, recipe, now=now, seed=seed, rebuild=rebuild)
            found += moment.check(raw, on_cells)
            compared += moment.compared
            used.append(raw)
        say(f"    decision {number + 1} of {len(chosen)}, of {at:%Y-%m-%d}: {compared:,} values compared so far")
    return LeakResult(tuple(chosen), tuple(used), tuple(_once(found)), compared)


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
            rows = read.rows_as_of(home, view, as_of, session=bar_array(bars.sessions[-1:])[0])
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
    section = {"key": key, **told_of(result, findings, broken), "seconds": round(time.perf_counter() - begun, 2)}
    home.write_section("leak", section)
    return section


def told_of(result: LeakResult, findings: Sequence[Finding], broken: Sequence[str]) -> dict[str, Any]:
    """What the story, the verdict and the checks are told."""
    return {
        "passed": not findings, "parity_passed": not broken, "parity_broken": list(broken),
        "decision_times": [at.isoformat() for at in result.decision_times], "variants": list(result.variants),
        "compared_values": result.compared_values, "findings": [asdict(finding) for finding in findings],
    }  # fmt: skip
