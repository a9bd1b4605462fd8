"""The leak gate: take away what was learnt after a decision, build everything again, and every bit must stand."""

import datetime as dt
import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from models.features.compute import compute_tail
from models.features.feature import Feature
from models.features.registry import families, view_look_back
from pipelines import digest, durable
from pipelines.home import Home
from pipelines.store import build, read
from pipelines.store.frame import decision_time

RECENT_SESSIONS = 30  # chains and ticks reach back so far: half of the decisions come from these


@dataclass(frozen=True)
class Finding:
    """A feature whose past moved: the first row that did, and how many."""

    feature: str
    view: str
    entity: str
    first_bad_time: str
    decision_time: str
    values: int


@dataclass(frozen=True)
class LeakResult:
    decision_times: tuple[dt.datetime, ...]
    findings: tuple[Finding, ...]
    compared_values: int

    @property
    def passed(self) -> bool:
        return not self.findings


def sample_decisions(days: list[dt.date], *, seed: int, count: int) -> list[dt.datetime]:
    """Decision times drawn by seed and date: another night looks elsewhere, the same night looks again."""
    if not days:
        return []
    drawn = hashlib.sha256(f"leak|{seed}|{days[-1]}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(drawn[:8], "big"))
    recent = days[-RECENT_SESSIONS:]
    picks = [(recent if n % 2 == 0 else days)[int(rng.integers(len(recent if n % 2 == 0 else days)))]
             for n in range(count)]  # fmt: skip
    return sorted({decision_time(day) for day in picks})


def _index(rows: pa.Table) -> NDArray[np.str_]:
    entity = np.array(rows[rows.column_names[0]].to_pylist(), dtype=np.str_)
    return np.char.add(np.char.add(rows["session"].to_numpy().astype(np.str_), "|"), entity)


def _bits(rows: pa.Table, column: str) -> NDArray[np.int64]:
    if column == "event_time":
        return rows[column].cast(pa.int64()).to_numpy()
    return np.ascontiguousarray(rows[column].to_numpy().astype(np.float64)).view(np.int64)


def compare(store: pa.Table, again: pa.Table, features: tuple[Feature, ...], at: dt.datetime) -> list[Finding]:
    """Findings where the store's rows as of a decision differ from those recomputed without the later knowledge."""
    ours, theirs = _index(store), _index(again)
    both, left, right = np.intersect1d(ours, theirs, return_indices=True)
    lonely = np.setxor1d(ours, theirs)
    found = []
    for column in ("event_time", *(feature.name for feature in features)):
        moved = both[_bits(store, column)[left] != _bits(again, column)[right]]
        if column == "event_time":
            column, moved = "(row)", np.concatenate([moved, lonely])
        if len(moved):
            session, entity = min(moved).split("|", 1)
            found.append(Finding(column, features[0].view, entity, session, at.isoformat(), len(moved)))
    return found


@contextmanager
def marts_as_known(home: Home, at: dt.datetime, now: dt.datetime) -> Iterator[Any]:
    """A connection to marts built from the facts that were known at a moment, and thrown away after."""
    import shutil

    from pipelines.lake import marts

    folder = durable.fresh_staging(home.work, "truncated-marts")
    try:
        built = marts.build(home, out=folder, truncate_at=at, now=now)
        with marts.connect(home, marts_dir=built.path) as con:
            yield con
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def leak_check(
    home: Home, *, now: dt.datetime, seed: int, decision_times: int = 2, with_planted: bool = False
) -> LeakResult:
    """Recompute every feature from facts that end at sampled decisions; all rows of all names are compared."""
    declared = build.declared(with_planted=with_planted)
    tables = {view: pq.read_table(build.table_path(home, view)) for view in declared}
    days = sorted(set(tables["equity_v1"]["session"].to_pylist()))
    sample = [at for at in sample_decisions(days, seed=seed, count=decision_times) if at <= now]
    findings: list[Finding] = []
    compared = 0
    for at in sample:
        with marts_as_known(home, at, now) as con:
            for view, features in declared.items():
                again = read.newest(build.rows_of(con, features, with_planted=with_planted), at)
                then = read.newest(tables[view], at)
                findings += compare(then, again, features, at)
                compared += again.num_rows * len(features)
    return LeakResult(tuple(sample), tuple(findings), compared)


def parity_check(home: Home, con: Any, now: dt.datetime) -> list[str]:
    """Features whose last session, computed over a tail as live does, differs from the table's; empty when equal."""
    broken = []
    for features in families().values():
        panel = read.cells_panel(con, features[0].cells, now).tail(view_look_back(features))
        if not len(panel.sessions):
            continue
        rows = read.rows_as_of(home, features[0].view, now)
        rows = rows.filter(pc.equal(rows["session"], pa.scalar(panel.sessions[-1].astype(dt.date), pa.date32())))
        place = [panel.names.index(name) for name in rows[rows.column_names[0]].to_pylist()]
        tail = compute_tail(panel, features)
        for feature in features:
            if (_bits(rows, feature.name) != np.ascontiguousarray(tail[feature.name][place]).view(np.int64)).any():
                broken.append(feature.name)
    return broken


def run_gate(
    home: Home, *, now: dt.datetime, seed: int, decision_times: int, with_planted: bool = False
) -> dict[str, Any]:
    """Both checks, once for the same tables and the same sample; the section `leak` of tonight's story."""
    from pipelines.lake import marts

    begun = time.perf_counter()
    declared = build.declared(with_planted=with_planted)
    told = [build.published_digests(home), seed, decision_times, with_planted,
            [[feature.declaration() for feature in features] for features in declared.values()]]  # fmt: skip
    key, held = digest.json_digest(told), home.read_section("leak")
    if held.get("key") == key:
        return held
    result = leak_check(home, now=now, seed=seed, decision_times=decision_times, with_planted=with_planted)
    with marts.connect(home) as con:
        broken = parity_check(home, con, now)
    section = {
        "key": key, "passed": result.passed, "parity_passed": not broken, "parity_broken": broken,
        "decision_times": [at.isoformat() for at in result.decision_times],
        "compared_values": result.compared_values, "findings": [asdict(finding) for finding in result.findings],
        "seconds": round(time.perf_counter() - begun, 2),
    }  # fmt: skip
    home.write_section("leak", section)
    return section
