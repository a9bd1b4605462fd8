"""Versions of something computed from facts that may arrive late: compute it again at each moment that adds to them."""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

Compute = Callable[[pa.Table], pa.Table]


def _newest(facts: pa.Table, key: Sequence[str]) -> pa.Table:
    """Of several versions of one fact the one that was learned last."""
    if not facts.num_rows:
        return facts
    numbered = facts.append_column("_row", pa.array(range(facts.num_rows)))
    ordered = numbered.sort_by([("available_at", "ascending"), ("_row", "ascending")])
    last = ordered.group_by(list(key), use_threads=False).aggregate([("_row", "last")])
    return facts.take(last.column("_row_last").sort())


def replay(
    facts: pa.Table, *, key: Sequence[str], unit: Sequence[str], grain: Sequence[str], compute: Compute
) -> pa.Table:
    """Every version that `compute` would have given, as facts became known.

    `facts` carry `available_at` and `ready_at`, the moment at which their row of the result is first told; `compute`
    takes the newest version of each fact (`key`) and returns rows with `grain`, `ready_at` and `ingested_at`. Facts
    that came in time need one computation for all; only a `unit` that something reached late is computed again. Where
    the result has a column `withdrawn`, a row that later knowledge takes away gets a version that says so.
    """
    on_time = pc.less_equal(facts.column("available_at"), facts.column("ready_at"))
    told = compute(_newest(facts.filter(on_time), key))
    told = told.append_column("available_at", told.column("ready_at"))
    late = facts.filter(pc.invert(on_time))
    if late.num_rows:
        units = late.select(list(unit)).group_by(list(unit), use_threads=False).aggregate([])
        touched = [told.filter(pc.invert(_within(told, units)))]
        for one in units.to_pylist():
            touched.append(_replay_unit(facts.filter(_equal(facts, one)), key, grain, compute, told.schema))
        told = pa.concat_tables(touched)
    return told.drop_columns(["ready_at"]).sort_by([(name, "ascending") for name in (*grain, "available_at")])


def _equal(table: pa.Table, values: dict[str, Any]) -> Any:
    mask = pa.array([True] * table.num_rows, pa.bool_())
    for name, value in values.items():
        mask = pc.and_(mask, pc.equal(table.column(name), pa.scalar(value, table.schema.field(name).type)))
    return mask


def _within(table: pa.Table, units: pa.Table) -> Any:
    mask = pa.array([False] * table.num_rows, pa.bool_())
    for one in units.to_pylist():
        mask = pc.or_(mask, _equal(table, one))
    return mask


def _replay_unit(facts: pa.Table, key: Sequence[str], grain: Sequence[str], compute: Compute, schema: Any) -> pa.Table:
    """One unit, moment by moment. A row not ready yet is only remembered; one that is, is told when it changes."""
    on_time = pc.less_equal(facts.column("available_at"), facts.column("ready_at"))
    moments = sorted(set(facts.filter(pc.invert(on_time)).column("available_at").to_pylist()))
    versions: list[dict[str, Any]] = []
    told: dict[tuple[Any, ...], dict[str, Any]] = {}
    believed = _rows(compute(_newest(facts.filter(on_time), key)), grain)
    previous: dt.datetime | None = None
    for moment in [*moments, None]:
        for at, row in believed.items():
            known_at = row["ready_at"] if previous is None else max(row["ready_at"], previous)
            changed = at not in told or any(told[at][n] != row[n] for n in row if n != "ingested_at")
            if changed and (moment is None or known_at < moment):
                versions.append({**row, "available_at": known_at})
                told[at] = row
        for at in [at for at in told if at not in believed] if "withdrawn" in schema.names else []:
            versions.append({**told.pop(at), "available_at": previous, "withdrawn": True})
        if moment is not None:
            at_moment = pa.scalar(moment, facts.schema.field("available_at").type)
            known = pc.or_(on_time, pc.less_equal(facts.column("available_at"), at_moment))
            believed = _rows(compute(_newest(facts.filter(known), key)), grain)
            previous = moment
    return pa.Table.from_pylist(versions, schema=schema)


def _rows(table: pa.Table, grain: Sequence[str]) -> dict[tuple[Any, ...], dict[str, Any]]:
    return {tuple(row[name] for name in grain): row for row in table.to_pylist()}
