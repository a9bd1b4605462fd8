"""What a symbol of futures means on a day, and until when it can trade: never a living contract cut, never a dead one
kept where the exchange's rule is sure."""

import datetime as dt

import pyarrow as pa
import pytest

from models.market.contracts import contract_ends, ends_at, month_meant
from pipelines.lake.sessions import is_closed

D = dt.date


@pytest.mark.parametrize(
    ("symbol", "on", "meant"),
    [
        ("ESU5", D(2025, 6, 30), ("ES", 2025, 9)),
        ("ESH1", D(2020, 12, 28), ("ES", 2021, 3)),
        ("ESZ4", D(2025, 1, 2), ("ES", 2024, 12)),  # it lingers: the next of this name is not listed for years
        ("ESM0", D(2025, 6, 30), ("ES", 2030, 6)),
        ("ESZ25", D(2025, 1, 2), ("ES", 2025, 12)),
        ("GCG6", D(2026, 3, 2), ("GC", 2026, 2)),
        ("GCZ1", D(2025, 12, 29), ("GC", 2031, 12)),  # listed for six years
        ("CLZ5", D(2025, 11, 19), ("CL", 2025, 12)),
        ("CLZ5", D(2025, 12, 1), ("CL", 2035, 12)),  # gone before its month, and listed for more than ten years
        ("NGF6", D(2025, 12, 24), ("NG", 2026, 1)),
        ("SR3Z4", D(2025, 2, 3), ("SR3", 2024, 12)),  # trades on for three months after the month it is called by
        ("ESU5-ESZ5", D(2025, 6, 30), None),
    ],
)
def test_one_digit_of_a_year_is_read_as_such_contracts_are_listed(
    symbol: str, on: dt.date, meant: tuple[str, int, int] | None
) -> None:
    assert month_meant(symbol, on) == meant


@pytest.mark.parametrize(
    ("root", "year", "month", "end"),
    [
        ("ES", 2025, 9, "2025-09-19T13:30:00+00:00"),
        ("NQ", 2024, 12, "2024-12-20T14:30:00+00:00"),  # in winter
        ("MYM", 2026, 6, "2026-06-18T13:30:00+00:00"),  # the third Friday is Juneteenth
        ("ES", 2008, 3, "2008-03-20T13:30:00+00:00"),  # and here Good Friday
        ("RTY", 2099, 3, "2099-03-20T13:30:00+00:00"),  # beyond the calendar
        ("GC", 2026, 2, "2026-02-28T23:00:00+00:00"),
        ("CL", 2025, 12, None), ("SR3", 2024, 12, None), ("XYZ", 2025, 1, None),
    ],
)  # fmt: skip
def test_a_contract_ends_where_its_rule_is_sure(root: str, year: int, month: int, end: str | None) -> None:
    found = ends_at(root, year, month, is_closed)
    assert (found.isoformat() if found else None) == end


def test_a_living_contract_is_never_past_its_end() -> None:
    """Each day of ten years, and every month listed then: by the first digit that it is called by, and by its year."""
    for root, ahead in (("ES", 60), ("GC", 71), ("CL", 110), ("ZC", 40), ("6E", 60)):
        for at in range(12 * 2020, 12 * 2030, 5):
            for month in range(at + 1, at + ahead, 7 if root != "ES" else 3):
                on, (year, number) = D(at // 12, at % 12 + 1, 28), (month // 12, month % 12)
                if root == "ES" and (number + 1) % 3:
                    continue
                symbol = f"{root}{'FGHJKMNQUVXZ'[number]}{year % 10}"
                assert month_meant(symbol, on) == (root, year, number + 1), (symbol, on)
                last = ends_at(root, year, number + 1, is_closed)
                assert last is None or last.date() > on


def test_every_symbol_of_every_session_has_its_row() -> None:
    told = pa.table({"symbol": ["ESU5", "ESU5", "CLZ5"], "session": [D(2025, 6, 30), D(2025, 6, 30), D(2025, 12, 1)]})
    rows = contract_ends(told, is_closed).to_pylist()
    assert [(row["symbol"], row["contract_month"], row["contract_year"]) for row in rows] == [
        ("CLZ5", "2035-12", 2035), ("ESU5", "2025-09", 2025)
    ]  # fmt: skip
