"""Build a generation of marts out of the lake's facts, publish it whole, and open it as of a moment."""

import datetime as dt
import json
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import durable, literals
from pipelines.digest import columns_digest, json_digest
from pipelines.home import Home
from pipelines.lake import dbt_project, facts_view
from pipelines.lake.dbt_project import NodeResult, WarehouseFailed
from pipelines.lake.views import GRAINS, open_folder

if TYPE_CHECKING:
    import duckdb

__all__ = ["GRAINS", "MartsBuild", "build", "connect", "current", "mart_digests"]

KEPT_GENERATIONS = 3
_ABOUT = "generation.json"
_STAGED = "staging.json"
_SORTED_WITHIN = "2500MB"  # as dbt's models are worked out, and the rest beside the run's own file


@dataclass(frozen=True)
class MartsBuild:
    """One generation: where it lies, what it says, and what its tests said of it."""

    generation: str
    digests: dict[str, str]
    rows: dict[str, int]
    path: Path
    unchanged: bool
    seconds: float
    tests: tuple[NodeResult, ...] = ()


def current(home: Home) -> Path:
    """The folder of the generation that readers see."""
    pointer = home.marts / "current"
    if not pointer.exists():
        raise FileNotFoundError(f"{home.marts} holds no marts yet: run `nightdesk nightly` first")
    return home.marts / pointer.read_text().strip()


def connect(
    home: Home, as_of: dt.datetime | None = None, marts_dir: Path | None = None
) -> "duckdb.DuckDBPyConnection":
    """Views of every mart as of a moment (else of all that is held), `<mart>_versions`, `adjusted_bars(as_of)`."""
    return open_folder(marts_dir or current(home), as_of)


def known_by_now(home: Home) -> dt.datetime:
    """The moment up to which marts are read where none is named: now, or the night that built them, of a market that
    is ahead of this machine's clock. What counts only later, such as a split to come, is not known yet."""
    built_for = dt.datetime.fromisoformat(_about(current(home))["built_for"])
    return max(built_for, dt.datetime.now(dt.UTC))


def mart_digests(folder: Path) -> dict[str, str]:
    """What each mart of a generation says, over all versions."""
    digests: dict[str, str] = _about(folder)["digests"]
    return digests


def _about(folder: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((folder / _ABOUT).read_text())
    return told


def _told(folder: Path, *, unchanged: bool, seconds: float) -> MartsBuild:
    about = _about(folder)
    tests = tuple(NodeResult(**one) for one in about["tests"])
    return MartsBuild(folder.name, about["digests"], about["rows"], folder, unchanged, seconds, tests)


def _whole(folder: Path) -> bool:
    """Whether a generation is there with all its rows; one that a disk has lost a part of is built again."""
    try:
        return all(pq.read_metadata(folder / f"{mart}.parquet").num_rows == rows
                   for mart, rows in _about(folder)["rows"].items())
    except (OSError, ValueError, KeyError):
        return False


def build(
    home: Home, *, facts: Path | None = None, out: Path | None = None, truncate_at: dt.datetime | None = None,
    only: tuple[str, ...] = (), now: dt.datetime,
) -> MartsBuild:  # fmt: skip
    """Build and publish the marts, unless this generation is there already.

    A generation is named by its facts and the code that read them. With `truncate_at` only facts known by then exist,
    tests are left out, and the result lies under `out` (or the home's work folder) without becoming current; `only`
    some marts (and what they are made of) can then be asked for, which are read once and told of in no digest.
    """
    if only and truncate_at is None:
        raise ValueError("a part of the marts is never published: name a moment to cut at")
    begun = time.perf_counter()
    batches = facts or home.facts
    quarantine = home.quarantine if facts is None else batches.parents[1] / "quarantine"
    name = json_digest([facts_view.digest(batches, quarantine, truncate_at), dbt_project.code_digest(), *only])[:16]
    published = out or (home.marts if truncate_at is None else home.work / "marts-as-of")
    final = published / name
    unchanged = _whole(final)
    if not unchanged:
        staging = durable.fresh_staging(published, name)
        work = durable.fresh_staging(home.work / "dbt", name)
        tests = _run(batches, quarantine, truncate_at, only, work, staging)
        _describe(staging, tests, only, now)
        durable.publish_dir(staging, final, failpoint="marts")
        shutil.rmtree(work.parent)
    pointer = published / "current"
    if truncate_at is None and (not pointer.exists() or pointer.read_text().strip() != name):
        durable.write_atomic(pointer, f"{name}\n".encode(), failpoint="marts_pointer")
    _forget_old(published, name)
    return _told(final, unchanged=unchanged, seconds=time.perf_counter() - begun)


def _run(
    facts: Path, quarantine: Path, truncate_at: dt.datetime | None, only: tuple[str, ...], work: Path, staging: Path
) -> list[NodeResult]:
    """dbt over the facts as seen at the moment, then every mart as one sorted Parquet file."""
    import duckdb

    database = work / dbt_project.DATABASE
    facts_view.create(database, facts, quarantine, truncate_at)
    results = dbt_project.run(work, tests=truncate_at is None, only=only)
    bad = [one for one in results if not one.good and one.status != "skipped"]
    if bad:
        failed = "\n".join(f"  {one.name}: {one.status} {one.message.strip()}" for one in bad)
        raise WarehouseFailed(f"the marts were not published:\n{failed}", results)
    known = f"where available_at <= {literals.instant(truncate_at)}" if truncate_at else ""
    with duckdb.connect(str(database), config={"threads": 1, "memory_limit": _SORTED_WITHIN}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for mart in only or GRAINS:
            connection.execute(
                f"copy (select * from marts.{mart} {known} order by {', '.join(GRAINS[mart])}, available_at) "
                f"to {literals.text(staging / f'{mart}.parquet')} (format parquet, compression zstd)"
            )
        if truncate_at is None:
            durable.write_json(staging / _STAGED, _staged(connection))
    return [one for one in results if one.kind != "model"]


def _staged(connection: "duckdb.DuckDBPyConnection") -> dict[str, dict[str, str]]:
    """The columns of each staging view, which is gone once the marts are made of it."""
    views = connection.sql("select table_name, column_name, data_type from information_schema.columns "
                           "where table_schema = 'staging' order by table_name, ordinal_position").fetchall()
    told: dict[str, dict[str, str]] = {}
    for view, column, kind in views:
        told.setdefault(view.removeprefix("stg_"), {})[column] = kind
    return told


def staged_columns(folder: Path) -> dict[str, dict[str, str]]:
    """The staging views that a generation was made of, with their columns and kinds."""
    path = folder / _STAGED
    told: dict[str, dict[str, str]] = json.loads(path.read_text()) if path.exists() else {}
    return told


def generation_before(home: Home, built: MartsBuild) -> Path | None:
    """The newest other generation that is still kept: what the marts said until now."""
    others = [path for path in home.marts.iterdir() if (path / _ABOUT).exists() and path.name != built.generation]
    return max(others, key=lambda path: (path.stat().st_mtime_ns, path.name), default=None)


def _describe(folder: Path, tests: list[NodeResult], only: tuple[str, ...], now: dt.datetime) -> None:
    digests: dict[str, str] = {}
    rows = {mart: pq.read_metadata(folder / f"{mart}.parquet").num_rows for mart in only}
    if not only:
        with open_folder(folder) as connection:
            for mart, grain in GRAINS.items():
                rows[mart] = pq.read_metadata(folder / f"{mart}.parquet").num_rows
                digests[mart] = _digest(connection, mart, [*grain, "available_at"])
    about = {"digests": digests, "rows": rows, "tests": [asdict(one) for one in tests], "built_for": now.isoformat()}
    durable.write_json(folder / _ABOUT, about)


def _digest(connection: "duckdb.DuckDBPyConnection", mart: str, keys: list[str]) -> str:
    def column(name: str) -> pa.ChunkedArray:
        return connection.sql(f'select "{name}" from {mart}_versions').to_arrow_table().column(0)

    schema = connection.sql(f"select * from {mart}_versions limit 0").to_arrow_table().schema
    return columns_digest(schema, column, keys)


def _forget_old(published: Path, name: str) -> None:
    """Keep the last few generations for whoever opened one or looks back; what a kill left half made goes."""
    for half_made in published.glob(".*.staging"):
        shutil.rmtree(half_made)
    others = [p for p in published.iterdir() if p.is_dir() and not p.name.startswith(".") and p.name != name]
    for old in sorted(others, key=lambda p: (p.stat().st_mtime_ns, p.name), reverse=True)[KEPT_GENERATIONS - 1 :]:
        shutil.rmtree(old)
