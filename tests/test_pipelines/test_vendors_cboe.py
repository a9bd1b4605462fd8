"""Cboe's chains: the session behind two clocks, zeros that mean nothing, roots that end in a digit."""

import datetime as dt
from typing import Any

import pyarrow.compute as pc
import pytest

from pipelines.vendors import cboe, cboe_csv
from tests.test_pipelines import bodies
from tests.test_pipelines.bodies import chain, option, quotedata


@pytest.mark.parametrize(
    ("last", "timestamp", "session"),
    [
        ("2025-06-30T16:14:59", "2025-06-30 20:32:00", dt.date(2025, 6, 30)),
        ("2025-06-27T16:14:59", "2025-06-29 15:00:00", dt.date(2025, 6, 27)),  # republished on Sunday
        ("2025-06-29T20:20:00", "2025-06-30 00:30:00", dt.date(2025, 6, 27)),  # saved while no session was open
        (None, "2025-07-01 01:00:00", dt.date(2025, 6, 30)),  # that is still the evening of the 30th in New York
        ("2025-07-04T10:00:00", "2025-07-04 15:00:00", dt.date(2025, 7, 3)),
    ],
)
def test_a_chain_belongs_to_the_session_of_its_last_trade(last: str | None, timestamp: str, session: dt.date) -> None:
    table, _ = cboe.chain(chain(option("SPXW250703C06000000"), timestamp=timestamp, last=last), bodies.CHAIN_PATH)
    assert table["session"].to_pylist() == [session]


def test_contracts_are_read_from_the_right() -> None:
    names = ["SPXW250630C06790000", "AMD1250718P00100500", "A250718C00000500"]
    table, rejects = cboe.chain(chain(*map(option, names)), bodies.CHAIN_PATH)
    assert rejects == []
    assert table["root"].to_pylist() == ["SPXW", "AMD1", "A"]
    assert table["adjusted"].to_pylist() == [False, True, False]
    assert table["strike"].to_pylist() == [6790.0, 100.5, 0.5]
    assert table["right"].to_pylist() == ["C", "P", "C"]
    assert table["expiry"].to_pylist()[0] == dt.date(2025, 6, 30)


@pytest.mark.parametrize("name", ["AAPL211022C000150000", "AAPL211322C00150000", "aapl", "O:AAPL211022C00150000"])
def test_what_is_no_contract_is_a_bad_symbol(name: str) -> None:
    _, rejects = cboe.chain(chain(option(name)), bodies.CHAIN_PATH)
    assert [reject.reason for reject in rejects] == ["bad_symbol"]


def test_zero_is_not_a_volatility() -> None:
    table, _ = cboe.chain(chain(option("SPXW250630C06000000", iv=0.0, gamma=0.0, bid=0.0)), bodies.CHAIN_PATH)
    row = table.to_pylist()[0]
    assert (row["iv"], row["gamma"], row["bid"]) == (None, None, 0.0)
    assert row["iv30"] == pytest.approx(0.2896)
    assert row["underlying"] == "SPX"


def test_the_csv_puts_two_contracts_on_a_line() -> None:
    side = "1.5,0,1.25,2,30,0.2,0.5,0.01,40"
    line = f"Mon Jun 30 2025,SPXW250630C06000000,{side},6000,SPXW250630P06000000,{side.replace('0.5', '-0.5')}"
    table, rejects = cboe_csv.quotedata(quotedata(line), bodies.QUOTEDATA_PATH)
    assert rejects == []
    assert table["contract"].to_pylist() == ["SPXW250630C06000000", "SPXW250630P06000000"]
    assert table["delta"].to_pylist() == [0.5, -0.5]
    assert table["snapshot"].to_pylist()[0] == dt.datetime(2025, 6, 30, 20, 31, tzinfo=dt.UTC)
    assert set(table["session"].to_pylist()) == {dt.date(2025, 6, 30)}


def test_a_csv_saved_before_the_open_is_of_the_day_before() -> None:
    side = "1,0,1,2,3,0.2,0.5,0.01,4"
    line = f"Mon Jun 30 2025,SPXW250630C06000000,{side},6000,SPXW250630P06000000,{side}"
    body = quotedata(line, when="June 30, 2025, 8:00 AM EDT")
    table, _ = cboe_csv.quotedata(body, bodies.QUOTEDATA_PATH)
    assert set(table["session"].to_pylist()) == {dt.date(2025, 6, 27)}


def test_the_real_apple_chain_of_a_saturday_is_fridays(samples: Any) -> None:
    body = (samples / "cboe" / "delayed_quotes_options_AAPL_2026-07-25.json").read_bytes()
    table, rejects = cboe.chain(body, bodies.CHAIN_PATH)
    assert (table.num_rows, rejects) == (3576, [])
    assert set(table["session"].to_pylist()) == {dt.date(2026, 7, 24)}
    assert set(table["underlying"].to_pylist()) == {"AAPL"}
    expired = table.filter(pc.equal(table["expiry"], dt.date(2026, 7, 24)))
    assert (expired.num_rows, expired["iv"].null_count) == (154, 100)  # still there, most of them without a volatility


def test_the_real_spx_download_has_its_known_share_of_same_day_expiries(samples: Any) -> None:
    name = "spx_quotedata_2022-07-12_1155EDT.csv"
    table, rejects = cboe_csv.quotedata((samples / "cboe" / "quotedata_csv" / name).read_bytes(), f"x/{name}")
    assert (table.num_rows, rejects) == (19378, [])
    same_day = table.filter(pc.equal(table["expiry"], table["session"]))
    assert (pc.sum(same_day["volume"]).as_py(), pc.sum(table["volume"]).as_py()) == (376985, 731347)


def test_a_download_saved_on_sunday_is_fridays(samples: Any) -> None:
    name = "tsla_quotedata_2023-08-20.csv"
    table, rejects = cboe_csv.quotedata((samples / "cboe" / "quotedata_csv" / name).read_bytes(), f"x/{name}")
    assert (table.num_rows, rejects) == (236, [])
    assert set(table["session"].to_pylist()) == {dt.date(2023, 8, 18)}
