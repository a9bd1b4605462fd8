"""Fronts by evidence: what leads today is the front from the next session on, and nothing rolls back."""

import datetime as dt
from typing import Any

import pyarrow as pa

from models.market.rolls import roll_versions

DAYS = [dt.date(2026, 1, day) for day in (5, 6, 7, 8, 9, 12)]
INSTANT = pa.timestamp("us", tz="UTC")


def report(
    day: int, feb: float, apr: float, *, kind: str = "final", out: dt.datetime | None = None, interest: float = 1.0
) -> list[dict[str, Any]]:
    moment = out or dt.datetime(2026, 1, day + 1, 6, tzinfo=dt.UTC)
    return [
        {"root": "GC", "session": dt.date(2026, 1, day), "symbol": symbol, "contract_month": month, "report": kind,
         "volume": volume, "open_interest": interest, "available_at": moment, "ingested_at": moment}
        for symbol, month, volume in (("GCG6", "2026-02", feb), ("GCJ6", "2026-04", apr))
    ]  # fmt: skip


def told(*reports: list[dict[str, Any]], as_of: dt.datetime | None = None) -> list[tuple[int, str]]:
    schema = pa.schema([("session", pa.date32()), ("available_at", INSTANT), ("ingested_at", INSTANT)])
    rows = pa.Table.from_pylist([row for one in reports for row in one])
    for field in schema:
        rows = rows.set_column(rows.schema.get_field_index(field.name), field, rows[field.name].cast(field.type))
    found = {}
    for row in roll_versions(rows, DAYS).to_pylist():
        if row["rule"] == "volume" and (as_of is None or row["available_at"] <= as_of):
            found[row["session"].day] = row["symbol"]
    return sorted(found.items())


def test_the_leader_of_a_session_is_the_front_of_the_next() -> None:
    found = told(report(5, 9, 1), report(6, 1, 9), report(7, 1, 9))
    assert found == [(6, "GCG6"), (7, "GCJ6"), (8, "GCJ6")]


def test_it_never_rolls_back_and_silence_is_no_evidence() -> None:
    found = told(report(5, 9, 1), report(6, 1, 9), report(7, 9, 1), report(8, 0, 0))
    assert found == [(6, "GCG6"), (7, "GCJ6"), (8, "GCJ6")]
    assert told(report(5, 9, 1), report(6, 0, 0, interest=50)) == [(6, "GCG6")]


def test_equal_evidence_keeps_the_nearer_contract() -> None:
    assert told(report(5, 3, 3), report(6, 3, 3)) == [(6, "GCG6"), (7, "GCG6")]


def test_a_final_report_corrects_what_the_preliminary_one_led_to() -> None:
    late = dt.datetime(2026, 1, 8, 6, tzinfo=dt.UTC)
    reports = [report(5, 9, 1), report(6, 9, 1, kind="preliminary"), report(6, 1, 9, out=late), report(7, 9, 1)]
    assert told(*reports) == [(6, "GCG6"), (7, "GCJ6"), (8, "GCJ6")]
    assert told(*reports, as_of=late - dt.timedelta(hours=1)) == [(6, "GCG6"), (7, "GCG6")]


def test_a_session_without_a_report_before_it_is_known_by_the_next_one() -> None:
    gap = [report(5, 9, 1), report(8, 9, 1)]
    assert told(*gap) == [(6, "GCG6"), (7, "GCG6"), (8, "GCG6"), (9, "GCG6")]
    assert told(*gap, as_of=dt.datetime(2026, 1, 6, 6, tzinfo=dt.UTC)) == [(6, "GCG6")] == told(gap[0])
