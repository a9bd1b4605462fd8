"""Chains written by hand to be awkward: saved at odd hours, roots with digits, strikes of any size."""

import datetime as dt

import pytest

from pipelines.vendors import cboe
from tests.test_pipelines.bodies import CHAIN_PATH, chain, option

MONDAY, TUESDAY = dt.date(2025, 6, 30), dt.date(2025, 7, 1)


@pytest.mark.parametrize(
    ("saved", "last", "session"),
    [
        ("2025-06-29 15:00:00", "2025-06-27T16:00:00", dt.date(2025, 6, 27)),  # a Sunday file is Friday's
        ("2025-06-29 15:00:00", None, dt.date(2025, 6, 27)),
        ("2025-07-04 15:00:00", None, dt.date(2025, 7, 3)),  # a holiday, after a half day
        ("2025-07-01 12:15:00", "2025-06-30T16:00:00", MONDAY),  # before the open
        ("2025-07-01 13:29:59", None, MONDAY),  # nothing is open yet, whatever the day
        ("2025-07-01 13:30:00", None, TUESDAY),
        ("2025-07-02 02:15:00", "2025-07-01T19:59:59", TUESDAY),  # in the evening
        ("2025-03-10 13:29:00", None, dt.date(2025, 3, 7)),  # the clocks went forward the day before
        ("2025-11-03 14:29:00", None, dt.date(2025, 10, 31)),  # and back
        ("2025-11-03 14:30:00", None, dt.date(2025, 11, 3)),
    ],
)
def test_a_chain_belongs_to_the_session_that_was_open_last(saved: str, last: str | None, session: dt.date) -> None:
    table, _ = cboe.chain(chain(option("SPXW251219C06200000"), timestamp=saved, last=last), CHAIN_PATH)
    assert table["session"].to_pylist() == [session]


def test_roots_with_digits_and_strikes_of_any_size() -> None:
    names = ["SPXW250703C00105000", "AMD1250703P00105500", "2SPY250703C00600000", "NDX250718C99999999",
             "NDXP250703P00000001"]  # fmt: skip
    table, rejects = cboe.chain(chain(*map(option, names)), CHAIN_PATH)
    assert rejects == []
    assert list(zip(*(table[name].to_pylist() for name in ("root", "strike", "adjusted")), strict=True)) == [
        ("SPXW", 105.0, False), ("AMD1", 105.5, True), ("2SPY", 600.0, False), ("NDX", 99999.999, False),
        ("NDXP", 0.001, False),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["1250703C00105000", "22SPY250703C00105000", "SPY250732C00105000"])
def test_what_is_no_contract_is_none(name: str) -> None:
    """No letter, two digits ahead, no such day."""
    table, rejects = cboe.chain(chain(option(name)), CHAIN_PATH)
    assert table.num_rows == 0 and [reject.reason for reject in rejects] == ["bad_symbol"]
