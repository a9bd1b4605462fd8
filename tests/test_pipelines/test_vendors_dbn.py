"""Streams of several kinds of records: prints among a book's updates, names on the way, and what is none of ours."""

from typing import Any

import pytest

from pipelines.vendors import cme
from tests.test_pipelines import bodies
from tests.test_pipelines.streams import record, stream, trade

NOON = bodies.DAY_NS + 13 * 3_600_000_000_000
PATH = bodies.TRADES_PATH
REAL = "cme/dbn/esu4_nqu4_2024-07-01/futures_{}_2024-07-01T23-58_2024-07-02T00-02.dbn.zst"


def plain(body: bytes) -> tuple[list[dict[str, Any]], list[tuple[str, int]]]:
    table, rejects = cme.trades(body, PATH)
    rows = table.drop_columns(["row_index"]).to_pylist()
    return rows, [(one.reason, one.row_index) for one in rejects]


def test_the_prints_of_a_real_book_are_the_real_trades(samples: Any) -> None:
    trades, books = (plain((samples / REAL.format(schema)).read_bytes()) for schema in ("trades", "mbp-1"))
    assert len(trades[0]) == 120
    assert books == trades


def test_a_real_live_stream_tells_each_print_once_whatever_it_was_subscribed_to(samples: Any) -> None:
    rows, wrong = plain((samples / "cme/dbn/databento-python/LIVE/test_data.live.dbn.zst").read_bytes())
    assert wrong == []
    assert [(row["symbol"], row["size"], row["price"]) for row in rows] == [("ESZ4", 2, 4756.0), ("ESZ4", 1, 4756.0)]


@pytest.mark.parametrize("kind", ["MBP1Msg", "MBP10Msg", "MBOMsg"])
def test_trades_are_read_out_of_every_kind_of_book_and_nothing_else_is(kind: str) -> None:
    told = [(NOON, 6200.25, 3, 7), (NOON, 6200.5, 2, 7), (NOON + 5_000, 6200.5, 1, 8)]
    among = [trade(kind, NOON, 6200.0, 9, 6, action=letter) for letter in (b"A", b"C", b"F")]
    rows, wrong = plain(stream(among[0], trade(kind, *told[0]), *among[1:], *(trade(kind, *one) for one in told[1:])))
    assert wrong == []
    assert (rows, wrong) == plain(stream(*(trade("TradeMsg", *one) for one in told)))
    assert [row["print_no"] for row in rows] == [0, 1, 0]


def test_one_print_told_twice_in_one_stream_counts_once() -> None:
    prints = [trade(kind, NOON, 6200.25, 3, 7) for kind in ("MBP1Msg", "TradeMsg", "MBP1Msg", "TradeMsg", "MBOMsg")]
    rows, wrong = plain(stream(*prints))
    assert ([(row["size"], row["print_no"]) for row in rows], wrong) == ([(3, 0), (3, 1)], [])


def test_a_good_telling_stands_in_for_a_bad_one() -> None:
    bad, good = trade("TradeMsg", NOON, 6200.25, 3, 7, side=b"X"), trade("MBP1Msg", NOON, 6200.25, 3, 7)
    rows, wrong = plain(stream(good, bad))
    assert ([row["side"] for row in rows], wrong) == (["B"], [("bad_type", 1)])


def test_a_side_that_is_no_letter_costs_its_own_print() -> None:
    rows, wrong = plain(stream(trade("TradeMsg", NOON, 1.0, 1, 1, side=b"\xff"), trade("TradeMsg", NOON, 1.0, 1, 2)))
    assert ([row["sequence"] for row in rows], wrong) == ([2], [("bad_type", 0)])


def test_doubts_about_the_book_or_the_receipt_are_none_about_the_print() -> None:
    prints = (trade("TradeMsg", NOON, 6200.25, 1, flag, flags=flag) for flag in (128, 4, 8 + 128, 12))
    rows, wrong = plain(stream(*prints))
    assert ([row["doubt"] for row in rows], wrong) == ([None, "book", "received", "book, received"], [])


def test_the_stream_names_its_instruments_as_it_goes() -> None:
    def named(symbol: bytes, name: str = "SymbolMappingMsg") -> bytes:
        return record(name, stype_in_symbol=b"ES.FUT", stype_out_symbol=symbol)

    prints = [trade("TradeMsg", NOON, 6200.25, 1, at) for at in range(3)]
    rows, wrong = plain(stream(prints[0], named(b"ESU5"), prints[1], named(b"ESZ5", "SymbolMappingMsgV1"), prints[2],
                               symbols={}))  # fmt: skip
    assert ([row["symbol"] for row in rows], wrong) == (["ESU5", "ESU5", "ESZ5"], [])


def test_a_client_may_stamp_each_record_when_it_was_sent() -> None:
    rows, wrong = plain(stream(trade("TradeMsg", NOON, 6200.25, 1, 1, sent_ns=NOON), trade("MBP1Msg", NOON, 1.0, 1, 2)))
    assert ([row["price"] for row in rows], wrong) == ([6200.25, 1.0], [])


def test_another_exchanges_data_set_is_no_future_and_is_said_to_be_none() -> None:
    table, rejects = cme.trades(stream(trade("TradeMsg", NOON, 1.0, 1, 1), dataset="OPRA.PILLAR"), PATH)
    assert table.num_rows == 0
    assert [(one.reason, one.row_index) for one in rejects] == [("unknown_instrument", -1)]
    assert "OPRA.PILLAR" in rejects[0].row_text


def test_a_series_through_many_contracts_names_none() -> None:
    for name in ("ES.c.0", "118"):
        assert plain(stream(trade("TradeMsg", NOON, 1.0, 1, 1), symbols={name: 1})) == ([], [("unknown_instrument", 0)])
    assert plain(stream(trade("TradeMsg", NOON, 1.0, 1, 1), symbols={"ESU5-ESZ5": 1})) == ([], [])


def test_who_asked_by_number_has_its_names_the_other_way_round() -> None:
    rows, wrong = plain(stream(trade("TradeMsg", NOON, 6200.25, 1, 1), symbols={"1": "ESU5"}))
    assert ([row["symbol"] for row in rows], wrong) == (["ESU5"], [])
    assert plain(stream(trade("TradeMsg", NOON, 1.0, 1, 1), symbols={"1": ""})) == ([], [("unknown_instrument", 0)])


def test_a_stream_of_nothing_and_one_of_short_records_hold_no_prints() -> None:
    assert plain(stream()) == plain(stream(bytes([4, 23]) + bytes(14))) == ([], [])


def test_a_record_as_long_as_none_of_its_kind_costs_itself() -> None:
    good = trade("TradeMsg", NOON, 6200.25, 1, 1)
    short = bytes([10, 0]) + good[2:40]
    rows, wrong = plain(stream(good, short, trade("TradeMsg", NOON, 6200.25, 1, 2)))
    assert ([row["sequence"] for row in rows], wrong) == ([1, 2], [("bad_type", 1)])
    assert plain(stream(good + short[:12])) == ([], [("truncated", -1)])
