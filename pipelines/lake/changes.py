"""What one generation of a mart says otherwise than the one before: rows, sessions and instruments."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.literals import one_file, text

WHEN = ("session", "ex_date", "valid_from")
WHOSE = ("instrument_id", "underlying", "index", "product")


@dataclass(frozen=True)
class Changes:
    """Rows that are new, different or gone, and the days and instruments (or indices, or underlyings) of these."""

    rows: int
    sessions: int
    first: str | None
    last: str | None
    instruments: tuple[str, ...]


NONE = Changes(0, 0, None, None, ())


def between(before: Path, after: Path, connection: Any) -> Changes | None:
    """None where the columns have changed, so that nothing can be compared. Only days whose rows do not add up to the
    same are compared row by row."""
    old, new = (f"read_parquet({text(one_file(path))})" for path in (before, after))
    columns = connection.sql(f"select * from {new}").columns
    if connection.sql(f"select * from {old}").columns != columns:
        return None
    kept = ", ".join(f'"{name}"' for name in columns if name != "ingested_at")
    when = next((name for name in WHEN if name in columns), None)
    whose = next((name for name in WHOSE if name in columns), None)
    sums = [f"(select {when} as day, bit_xor(hash(t)) as sum, count(*) as n "
            f"from (select {kept} from {table}) t group by 1)" for table in (old, new)]
    days = f"""select coalesce(a.day, b.day) from {sums[0]} a full join {sums[1]} b on a.day is not distinct from b.day
               where a.sum is distinct from b.sum or a.n is distinct from b.n"""
    only = f"where {when} in ({days}) or {when} is null" if when else ""
    one, other = (f"(select {kept} from {table} {only})" for table in (old, new))
    connection.execute(f"""create or replace temp table changed as
        ({one} except all {other}) union all ({other} except all {one})""")
    rows, sessions, first, last = connection.execute(
        f"select count(*), count(distinct {when}), min({when})::varchar, max({when})::varchar from changed" if when else
        "select count(*), 0, null, null from changed").fetchone()
    names: list[tuple[Any]] = []
    if whose:
        listed = f"select distinct {whose} from changed where {whose} is not null order by 1"
        names = connection.execute(listed).fetchall()
    return Changes(rows, sessions, first, last, tuple(str(name) for (name,) in names))
