"""What a family's table was made from: a digest for every (entity, session) cell, and the version of the code."""

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

import models.features
from models.features.feature import Feature
from models.features.inputs import RAW
from pipelines import digest, durable

# All versions of a cell in one digest; the text of a double in DuckDB is its shortest exact form.
CELL_DIGESTS = """
select entity, session, md5(string_agg(
    concat_ws('|', epoch_us(event_time), epoch_us(available_at), withdrawn, {values}), '~' order by available_at
)) as digest
from cells group by entity, session order by entity, session"""


STORE_CODE = ("cells", "sources", "derivative_sources", "versions", "manifest")


def of_cells(con: Any, cells: pa.Table, panel: str) -> pa.Table:
    """Digest of every cell."""
    con.register("cells", cells)
    try:
        values = ", ".join(f"coalesce(cast({name} as varchar), '-')" for name in RAW[panel])
        return con.sql(CELL_DIGESTS.format(values=values)).to_arrow_table()
    finally:
        con.unregister("cells")


def code_version(features: tuple[Feature, ...]) -> str:
    """Digest of the declarations and of every file that has a say in the values; another one rebuilds everything."""
    here = Path(__file__).parent
    files = [*Path(models.features.__path__[0]).rglob("*.py"), *(here / f"{name}.py" for name in STORE_CODE)]
    code = {f"{path.parent.name}/{path.name}": hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    return digest.json_digest({"features": [feature.declaration() for feature in features], "code": code})


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


def changed_sessions(before: pa.Table | None, after: pa.Table) -> NDArray[np.datetime64]:
    """Sessions of the cells that are new, different or gone."""

    def entries(table: pa.Table) -> set[tuple[Any, ...]]:
        return set(zip(*(table[name].to_pylist() for name in ("entity", "session", "digest")), strict=True))

    old = entries(before) if before is not None else set()
    return np.array(sorted({session for _, session, _ in old ^ entries(after)}), dtype="datetime64[D]")
