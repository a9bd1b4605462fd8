"""What a family's table was made from: a digest for every (entity, session) cell, and the version of the code."""

import ast
import hashlib
import io
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from models.features.feature import Block, Feature
from models.features.inputs import RAW
from pipelines import digest, durable
from pipelines.store.cells import bars_of
from pipelines.store.recipe import Recipe

# All versions of a cell in one digest; the text of a double in DuckDB is its shortest exact form.
CELL_DIGESTS = """
select entity, session, md5(string_agg(
    concat_ws('|', epoch_us(event_time), epoch_us(available_at), withdrawn, {values}), '~' order by available_at
)) as digest
from cells group by entity, session order by entity, session"""

ROOT = Path(__file__).resolve().parents[2]
SHARED = frozenset(
    [*(ROOT / "models" / "features" / f"{name}.py" for name in ("compute", "feature", "inputs", "panel")),
     *(Path(__file__).with_name(f"{name}.py") for name in ("cells", "minutes", "versions", "manifest"))]
)  # fmt: skip


def of_cells(con: Any, cells: pa.Table, panel: str) -> pa.Table:
    """Digest of every cell."""
    con.register("cells", cells)
    try:
        values = ", ".join(f"coalesce(cast({name} as varchar), '-')" for name in RAW[panel])
        return con.sql(CELL_DIGESTS.format(values=values)).to_arrow_table()
    finally:
        con.unregister("cells")


def code_version(features: tuple[Feature, ...], recipe: Recipe) -> str:
    """Digest of the declarations and of all code that has a say in the values; another one rebuilds the family.

    That is what its kernels import, what runs any kernel, and how its cells are read. Another family's code is not.
    """
    source = recipe.sources[features[0].cells]
    kernels = [one.kernel.fill if isinstance(one.kernel, Block) else one.kernel for one in features]
    modules = sorted({recipe.derive.__module__, *(kernel.__module__ for kernel in kernels),
                      *(["pipelines.store.fits"] if source.fit else [])})  # fmt: skip
    code = {str(path.relative_to(ROOT)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(set().union(SHARED, *(_imported(module) for module in modules)))}
    told = [feature.declaration() for feature in features]
    return digest.json_digest({"features": told, "code": code, "marts": source.marts, "sql": source.sql})


@cache
def _imported(module: str) -> frozenset[Path]:
    """A module of ours and all of ours that it imports, as files; parents' __init__ files included."""
    found: set[Path] = set()
    _follow(module, found)
    return frozenset(found)


def _follow(module: str, found: set[Path]) -> None:
    for name in [module, *(module[:at] for at, sign in enumerate(module) if sign == ".")]:
        path = _file(name)
        if path is None or path in found:
            continue
        found.add(path)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                wanted = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                wanted = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            else:
                continue
            for other in wanted:
                if other.partition(".")[0] == "models":
                    _follow(other, found)


def _file(module: str) -> Path | None:
    base = ROOT.joinpath(*module.split("."))
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.exists()), None)


def read(path: Path, code: str) -> pa.Table | None:
    """The last published manifest, unless other code wrote it."""
    if not path.exists():
        return None
    table = pq.read_table(path)
    return table if (table.schema.metadata or {}).get(b"code") == code.encode() else None


def write(path: Path, cells: pa.Table, code: str, table_digest: str) -> None:
    """After the table, never before: a manifest without its table would hide work still to do."""
    out = io.BytesIO()
    pq.write_table(cells.replace_schema_metadata({"code": code, "table": table_digest}), out)
    durable.write_atomic(path, out.getvalue(), failpoint="features.manifest")


def table_digest(manifest: pa.Table) -> str:
    """Digest of the table that was published with this manifest."""
    return str(manifest.schema.metadata[b"table"].decode())


def published(path: Path) -> str:
    """Digest of the table now published, whatever code wrote it."""
    return str(pq.read_schema(path).metadata[b"table"].decode())


def changed_cells(before: pa.Table | None, after: pa.Table) -> pa.Table:
    """Entity and session of the cells that are new, different or gone."""
    entry = ["entity", "session", "digest"]
    both = pa.concat_tables([after.select(entry), *([before.select(entry)] if before is not None else [])])
    counted = both.group_by(entry).aggregate([([], "count_all")])
    return counted.filter(pc.equal(counted["count_all"], 1)).select(entry[:2])


def sessions_of(cells: pa.Table) -> NDArray[np.datetime64]:
    return np.unique(bars_of(cells["session"]))
