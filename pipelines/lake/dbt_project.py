"""dbt inside this process: parse the project once per state of its code, run it over a DuckDB file."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
PROJECT = REPOSITORY / "dbt"
TARGET = PROJECT / "target"
DATABASE = "warehouse.duckdb"  # the name is part of every compiled relation
_VARIABLE = "NIGHTDESK_MARTS"
# Python that decides what a mart says, beside the project's own files.
_PYTHON = (
    "models/market/symbols.py", "models/market/symbol_versions.py",
    "models/market/options.py", "models/market/volume_profile.py",
    "models/market/surface.py", "models/market/prints.py", "models/market/tape.py",
    "models/market/order_flow.py", "models/market/rolls.py", "models/market/continuous.py",
    "models/market/replay.py", "models/market/contracts.py", "models/market/clearing.py",
    "pipelines/calendars.py",
    "pipelines/lake/sessions.py", "pipelines/lake/facts_view.py", "pipelines/lake/marts.py",
)  # fmt: skip
_LIBRARIES = ("dbt-core", "dbt-duckdb", "duckdb", "pyarrow", "numpy", "exchange_calendars")
_QUIET = ["--quiet", "--log-level", "none", "--log-level-file", "none", "--no-version-check", "--no-use-colors"]


@dataclass(frozen=True)
class NodeResult:
    """What became of one model or test."""

    unique_id: str
    name: str
    kind: str  # model, test, unit_test
    status: str  # success, pass, warn, fail, error, skipped
    failures: int
    seconds: float
    message: str = ""

    @property
    def good(self) -> bool:
        return self.status in {"success", "pass", "warn"}


class WarehouseFailed(RuntimeError):
    """A model could not be built, or a test on its rows failed; nothing was published."""

    def __init__(self, message: str, results: Sequence[NodeResult] = ()) -> None:
        super().__init__(message)
        self.results = tuple(results)


def _digest(paths: Iterator[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.relative_to(REPOSITORY)}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _project_files() -> Iterator[Path]:
    for name in ("dbt_project.yml", "profiles.yml"):
        yield PROJECT / name
    for folder in ("macros", "models", "data-tests"):
        yield from sorted(p for p in (PROJECT / folder).rglob("*") if p.suffix in {".sql", ".yml", ".py"})


@cache
def code_digest() -> str:
    """Of everything that decides what the marts say about given facts."""

    def files() -> Iterator[Path]:
        yield from _project_files()
        yield from (REPOSITORY / name for name in _PYTHON)

    versions = ",".join(f"{name}={metadata.version(name)}" for name in _LIBRARIES)
    return hashlib.sha256(f"{_digest(files())} {versions}".encode()).hexdigest()


@contextmanager
def _environment(folder: Path | None) -> Iterator[None]:
    wanted = {"DO_NOT_TRACK": "1", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    if folder is not None:
        wanted[_VARIABLE] = str(folder)
    kept = {name: os.environ.get(name) for name in (*wanted, _VARIABLE)}
    if folder is None:
        os.environ.pop(_VARIABLE, None)
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in kept.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _invoke(words: list[str], folder: Path | None, manifest: Any = None) -> Any:
    from dbt.adapters.duckdb import environments
    from dbt.cli.main import dbtRunner

    # dbt-duckdb opens an event loop in the worker thread of each Python model and never closes it; ours need none.
    environments._ensure_event_loop = lambda: None
    places = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
    with _environment(folder):
        outcome = dbtRunner(manifest=manifest).invoke([*_QUIET, *words, *places])
    if outcome.exception is not None:
        raise WarehouseFailed(f"dbt {words[0]}: {outcome.exception}") from outcome.exception
    return outcome.result


def prepare() -> Path:
    """The project's manifest, parsed if its files changed since (1.6 s); a second process waits for the first."""
    manifest, stamp = TARGET / "manifest.json", TARGET / "parsed.sha256"
    wanted = _digest(_project_files()) + metadata.version("dbt-core")
    if manifest.exists() and stamp.exists() and stamp.read_text() == wanted:
        return manifest
    TARGET.mkdir(exist_ok=True)
    with open(TARGET / "parse.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if manifest.exists() and stamp.exists() and stamp.read_text() == wanted:
            return manifest
        scratch = TARGET / "parsing"
        shutil.rmtree(scratch, ignore_errors=True)
        _invoke(["parse", "--target-path", str(scratch), "--log-path", str(scratch), "--no-partial-parse"], None)
        for name in ("manifest.json", "partial_parse.msgpack"):
            os.replace(scratch / name, TARGET / name)
        stamp.write_text(wanted)
        shutil.rmtree(scratch, ignore_errors=True)
    return manifest


@cache
def _parsed(_stamp: str) -> Any:
    from dbt.contracts.graph.manifest import Manifest

    manifest = Manifest.from_msgpack((TARGET / "partial_parse.msgpack").read_bytes())
    manifest.build_flat_graph()
    return manifest


def run(folder: Path, *, tests: bool, only: tuple[str, ...] = ()) -> list[NodeResult]:
    """Build all models in `folder`'s DuckDB file, or these and what they are made of, with the tests on their rows when
    asked; one dbt step. Unit tests look at the code, not at tonight's rows: no night waits for them."""
    words = ["build", "--exclude-resource-type", "unit_test"] if tests else ["run"]
    return _results([*words, "--select", *(f"+{model}" for model in only)] if only else words, folder)


def run_unit_tests(folder: Path) -> list[NodeResult]:
    """What each model makes of rows written for it, over a file in which the models stand."""
    return _results(["test", "--select", "test_type:unit"], folder)


def _results(words: list[str], folder: Path) -> list[NodeResult]:
    prepare()
    manifest = _parsed((TARGET / "parsed.sha256").read_text())
    places = ["--target-path", str(folder / "target"), "--log-path", str(folder), "--no-write-json"]
    try:
        results = _invoke([*words, *places], folder, manifest)
    finally:
        _close_database()
    return [
        NodeResult(
            unique_id=one.node.unique_id, name=one.node.name, kind=str(one.node.resource_type), status=str(one.status),
            failures=int(one.failures or 0), seconds=float(one.execution_time), message=str(one.message or ""),
        )
        for one in results
    ]  # fmt: skip


def _close_database() -> None:
    """dbt-duckdb keeps its connection for the life of the process; the file must be free for the next reader."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    environment = DuckDBConnectionManager._ENV
    if environment is not None:
        environment.close()
    DuckDBConnectionManager.close_all_connections()
