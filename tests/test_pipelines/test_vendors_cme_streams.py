"""Bars, definitions and statistics in Databento's streams: what they say, in every version, and what is refused."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from pipelines.home import Home
from pipelines.lake.facts import read_dataset
from pipelines.vendors import cme_streams
from tests.test_pipelines import bodies
from tests.test_pipelines.lake_told import at, land
from tests.test_pipelines.streams import record, stream, trade

MINUTE = 60_000_000_000
NOON = bodies.DAY_NS + 13 * 60 * MINUTE
REF = bodies.DAY_NS - bodies.DAY_NS % 86_400_000_000_000
EXPIRY = 1_758_288_600 * 10**9  # 2025-09-19 13:30Z
DEFINITIONS = ("InstrumentDefMsg", "InstrumentDefMsgV2", "InstrumentDefMsgV1")


def read(body: bytes, dataset: str) -> tuple[list[dict[str, Any]], list[tuple[str, int]]]:
    table, rejects = dict(cme_streams.read(body, bodies.TRADES_PATH))[dataset]
    return table.to_pylist(), [(one.reason, one.row_index) for one in rejects]


def bar(at_ns: int, close: float, volume: int, rtype: int = 33, **more: Any) -> bytes:
    prices = {"open": close, "high": close + 0.5, "low": close - 0.5, "close": close}
    return record("OHLCVMsg", **{"ts_event": at_ns, **prices, "volume": volume, "rtype": rtype, **more})


def definition(name: str = DEFINITIONS[0], at_ns: int = NOON, **more: Any) -> bytes:
    told = {"raw_symbol": b"ESU5", "asset": b"ES", "exchange": b"XCME", "currency": b"USD", "instrument_class": b"F",
            "expiration": EXPIRY, "activation": 2**64 - 1, "min_price_increment": 0.25, "unit_of_measure_qty": 50.0,
            "contract_multiplier": 2**31 - 1, "unit_of_measure": b"IPNT", "maturity_year": 2025, "maturity_month": 9,
            "ts_recv": at_ns}  # fmt: skip
    return record(name, **{**told, **more})


def statistic(kind: int, quantity: int, name: str = "StatMsg", **more: Any) -> bytes:
    told = {"ts_recv": NOON, "ts_event": NOON, "ts_ref": REF, "stat_type": kind, "quantity": quantity}
    return record(name, **{**told, "update_action": 1, **more})


def test_minutes_and_seconds_are_read_and_hours_and_days_are_of_no_session() -> None:
    spans = {32: 1, 33: 60, 34: 3600, 35: 86400}
    rows, wrong = read(stream(*(bar(NOON, 6200.0, 3, rtype) for rtype in spans)), "futures_ohlcv")
    assert ([row["span_s"] for row in rows], wrong) == ([1, 60], [])
    assert (rows[0]["high"], rows[0]["volume"], rows[0]["session"]) == (6200.5, 3, dt.date(2025, 6, 30))


def test_a_bar_below_nothing_is_one_and_a_bar_of_nothing_is_none() -> None:
    body = stream(bar(NOON, -37.63, 2), bar(NOON + MINUTE, 5.0, 0), bar(NOON + 7, 5.0, 1),
                  bar(NOON + 2 * MINUTE, 5.0, 1, high=1.0), bar(NOON + 3 * MINUTE, 5.0, 1, low=2**63 - 1),
                  bar(NOON, -1.0, 9))  # fmt: skip
    rows, wrong = read(body, "futures_ohlcv")
    assert [row["close"] for row in rows] == [-37.63]
    assert wrong == [("bad_volume", 1), ("bad_time", 2), ("bad_range", 3), ("bad_price", 4), ("duplicate", 5)]


@pytest.mark.parametrize("name", DEFINITIONS)
def test_a_definition_says_the_same_in_every_version_of_the_format(name: str) -> None:
    rows, wrong = read(stream(definition(name)), "futures_definitions")
    assert wrong == []
    wanted = {"symbol": "ESU5", "root": "ES", "instrument_no": 1, "contract_month": "2025-09", "tick_size": 0.25,
              "multiplier": 50.0, "unit": "IPNT", "currency": "USD", "exchange": "XCME", "activates_at": None,
              "expires_at": dt.datetime(2025, 9, 19, 13, 30, tzinfo=dt.UTC)}  # fmt: skip
    assert {key: rows[0][key] for key in wanted} == wanted


def test_definitions_of_spreads_and_options_and_what_repeats_are_no_facts_and_no_faults() -> None:
    others = [definition(raw_symbol=b"ESU5-ESZ5", instrument_class=b"S"), definition(instrument_class=b"C"),
              definition(security_update_action=b"D"), definition(at_ns=NOON + 1000)]  # fmt: skip
    body = stream(definition(), *others, definition(at_ns=NOON + 2000, expiration=EXPIRY - 86_400 * 10**9))
    rows, wrong = read(body, "futures_definitions")
    assert ([row["row_index"] for row in rows], wrong) == ([0, 5], [])


def test_what_a_definition_leaves_out_is_missing_and_what_is_no_day_is_refused() -> None:
    none = 2**63 - 1
    nothing = definition(expiration=2**64 - 1, maturity_year=2**16 - 1, maturity_month=255, min_price_increment=none,
                         unit_of_measure_qty=none)  # fmt: skip
    rows, wrong = read(stream(nothing, definition(instrument=2, maturity_month=13)), "futures_definitions")
    assert wrong == [("bad_time", 1)]
    assert {rows[0][key] for key in ("expires_at", "contract_month", "tick_size", "multiplier")} == {None}


def test_statistics_without_a_number_tell_none_in_every_version() -> None:
    narrow, wide = 2**31 - 1, 2**63 - 1
    body = stream(statistic(9, 1768), statistic(9, wide, sequence=1), statistic(9, narrow, "StatMsgV1", sequence=2),
                  statistic(9, narrow, sequence=3), statistic(6, 8, "StatMsgV1"), statistic(3, 5),
                  statistic(6, 8, sequence=9, update_action=2))  # fmt: skip
    rows, wrong = read(body, "futures_statistics")
    assert wrong == []
    assert [(row["statistic"], row["quantity"]) for row in rows] == [
        ("open_interest", 1768.0), ("open_interest", None), ("open_interest", None), ("open_interest", float(narrow)),
        ("volume", 8.0), ("volume", None),
    ]  # fmt: skip
    assert {row["session"] for row in rows} == {dt.date(2025, 6, 30)}


def test_statistics_of_no_session_and_below_nothing_are_refused() -> None:
    body = stream(statistic(9, 5, ts_ref=2**64 - 1), statistic(6, -1), statistic(6, 5, update_action=3))
    assert read(body, "futures_statistics")[1] == [("missing_field", 0), ("bad_volume", 1), ("bad_type", 2)]


def test_a_mixture_lands_as_all_that_it_holds_and_is_refused_as_one(tmp_path: Path) -> None:
    mixture = [trade("MBP1Msg", NOON, 6200.0, 1, 1), bar(NOON, 6200.0, 1), definition(), statistic(9, 5)]
    told = land(tmp_path, ("cme/dbn/a.dbn.zst", at(1), stream(*mixture, bar(NOON, 6200.0, 0))), now=at(1))
    assert told.rows == {"futures_trades": 1, "futures_ohlcv": 1, "futures_definitions": 1, "futures_statistics": 1}
    assert told.quarantined == {"bad_volume": 1}
    bad = [bar(NOON + at_ * MINUTE, 6200.0, 0) for at_ in range(10)]
    told = land(tmp_path, ("cme/dbn/b.dbn.zst", at(2), stream(trade("TradeMsg", NOON + 1, 1.0, 1, 1), *bad)), now=at(2))
    assert (told.rows, told.quarantined) == ({}, {"bad_volume": 10, "batch_refused": 1})


def test_a_print_told_by_two_schemas_is_one_fact_and_one_version(tmp_path: Path) -> None:
    told = [(f"cme/dbn/{kind}.dbn.zst", at(1), stream(trade(kind, NOON, 6200.0, 1, 1)))
            for kind in ("TradeMsg", "MBP1Msg", "MBOMsg")]  # fmt: skip
    land(tmp_path, *told, now=at(1))
    land(tmp_path, ("cme/dbn/late.dbn.zst", at(2), stream(trade("MBP10Msg", NOON, 6200.0, 1, 1))), now=at(2))
    assert read_dataset(Home(tmp_path), "futures_trades").num_rows == 1


def test_the_real_streams_hold_what_they_are_called(samples: Any) -> None:
    folder = samples / "cme/dbn"
    live = (folder / "databento-python/LIVE/test_data.live.dbn.zst").read_bytes()
    held = {dataset: len(read(live, dataset)[0]) for dataset in cme_streams.READERS}
    assert held == {"futures_trades": 2, "futures_ohlcv": 4, "futures_definitions": 1, "futures_statistics": 2}
    rows, _ = read(live, "futures_statistics")
    assert {row["statistic"]: row["quantity"] for row in rows} == {"open_interest": 1768.0, "volume": 8.0}
    assert {row["session"] for row in rows} == {dt.date(2023, 11, 20)}
    rows, _ = read((folder / "esu4_nqu4_2024-07-01/futures_definition.dbn.zst").read_bytes(), "futures_definitions")
    assert [(row["symbol"], row["tick_size"], row["multiplier"]) for row in rows] == [("ESU4", 0.25, 50.0),
                                                                                      ("NQU4", 0.25, 20.0)]  # fmt: skip
    spreads = (folder / "definition-glbx-es-futspread.dbn.zst").read_bytes()
    assert read(spreads, "futures_definitions") == ([], [])
