"""Bring a family's table up to the marts: recompute the sessions a changed cell can touch, and nothing else."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from models.features.feature import Feature
from models.features.registry import families
from pipelines import digest, durable, kept
from pipelines.home import Home
from pipelines.store import cells as cells_of
from pipelines.store import inputs, manifest, versions
from pipelines.store.recipe import USUAL, Recipe
from pipelines.store.sources import SOURCES


@dataclass(frozen=True)
class FamilyBuild:
    """What was done for one family; `rebuilt` counts the (entity, session) rows that were computed again, and `changed`
    are the entities of whose inputs a cell had changed."""

    view: str
    path: Path
    rows: int
    rebuilt: int
    first_rebuilt: str | None
    last_rebuilt: str | None
    digest: str
    sessions_rebuilt: int = 0
    entities_rebuilt: int = 0
    changed: tuple[str, ...] = ()

    @property
    def unchanged(self) -> bool:
        return self.rebuilt == 0


def table_path(home: Home, view: str) -> Path:
    return home.features / f"{view}.parquet"


def published_digests(home: Home) -> dict[str, str]:
    """Digest of every family's table as it stands."""
    return {view: manifest.published(home.features / f"{view}.manifest.parquet") for view in families()}


def _axis_mask(axis: NDArray[np.datetime64], days: NDArray[np.datetime64], ahead: int) -> NDArray[np.bool_]:
    """These days and the `ahead` sessions after each."""
    mask = np.zeros(len(axis), dtype=bool)
    for at in np.searchsorted(axis, days):
        mask[at : at + ahead + 1] = True
    return mask


def rows_of(con: Any, features: tuple[Feature, ...], recipe: Recipe = USUAL) -> pa.Table:
    """A family's whole table from the marts of a connection, from nothing and writing nothing."""
    cells = inputs.read(con, features[0].cells, recipe).cells
    return versions.replay(cells, features, np.ones(len(cells.sessions), dtype=bool), recipe.derive)


def _refresh(
    cells: cells_of.Cells, features: tuple[Feature, ...], changed: NDArray[np.datetime64], old: pa.Table | None,
    replay_with: versions.Derive,
) -> tuple[pa.Table, pa.Table]:
    """The new table, and the part of it that was computed again."""
    span = versions.reach(features)
    # A cell that is gone may lie outside today's axis; its rows go all the same.
    axis = cells_of.session_axis(np.union1d(cells.sessions, changed))
    targets = _axis_mask(axis, changed, span - 1)
    stale = axis[targets]
    fresh_targets = np.isin(cells.sessions, stale)
    needed = np.zeros(len(cells.sessions), dtype=bool)
    for at in np.flatnonzero(fresh_targets):
        needed[max(0, at - span + 1) : at + 1] = True
    redone = versions.replay(cells.within(needed), features, fresh_targets, replay_with)
    if old is None:
        return redone, redone
    others = old.filter(pc.invert(pc.is_in(old["session"], cells_of.bar_array(stale))))
    entity = redone.column_names[0]
    merged = pa.concat_tables([others, redone]).sort_by(
        [(entity, "ascending"), ("session", "ascending"), ("available_at", "ascending")]
    )
    return merged, redone


def build_family(
    home: Home, view: str, features: tuple[Feature, ...], con: Any = None, *, recipe: Recipe = USUAL
) -> FamilyBuild:
    """Publish a family's table as the marts of `con` have it (else the home's); the same digest as from nothing.

    What was made of this very generation of marts is not even read again: a generation is named by what it says."""
    from pipelines.lake import marts

    path, listed = table_path(home, view), home.features / f"{view}.manifest.parquet"
    code, asked = manifest.code_version(features, recipe), ""
    before = manifest.read(listed, code) if path.exists() else None
    if con is None and recipe.sources is SOURCES:
        asked = digest.json_digest([marts.current(home).name, recipe.name, code, kept.code()])
        if before is not None and kept.answer(home, f"features-{view}", asked) is not None:
            rows = pq.read_metadata(path).num_rows
            return FamilyBuild(view, path, rows, 0, None, None, manifest.table_digest(before))
    panel = features[0].cells
    known = inputs.of_home(home, panel, recipe) if con is None else inputs.read(con, panel, recipe)
    built = _brought_up(view, path, features, known, before, (listed, code), recipe)
    if asked:
        kept.keep(home, f"features-{view}", asked, {}, [listed])
    return built


def _brought_up(
    view: str, path: Path, features: tuple[Feature, ...], known: inputs.Inputs, before: pa.Table | None,
    made_by: tuple[Path, str], recipe: Recipe,
) -> FamilyBuild:
    listed, code = made_by
    cells = manifest.changed_cells(before, known.digests)
    if before is not None and not cells.num_rows:
        rows = pq.read_metadata(path).num_rows
        return FamilyBuild(view, path, rows, 0, None, None, manifest.table_digest(before))
    old = pq.read_table(path) if before is not None else None
    table, redone = _refresh(known.cells, features, manifest.sessions_of(cells), old, recipe.derive)
    keys = [table.column_names[0], "session", "available_at"]
    fingerprint = digest.table_digest(table, keys)
    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd")
    durable.write_atomic(path, out.getvalue(), failpoint="features")
    manifest.write(listed, known.digests, code, fingerprint)
    rebuilt = redone.select(keys[:2]).group_by(keys[:2]).aggregate([])
    days = pc.min_max(redone["session"]).as_py() if redone.num_rows else {"min": None, "max": None}
    return FamilyBuild(
        view, path, table.num_rows, rebuilt.num_rows, str(days["min"]) if days["min"] else None,
        str(days["max"]) if days["max"] else None, fingerprint, len(pc.unique(redone["session"])),
        len(pc.unique(redone[keys[0]])), tuple(sorted(pc.unique(cells["entity"]).to_pylist())),
    )
