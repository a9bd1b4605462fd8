"""The embedded Databento's definitions and statistics: the vendor's own client reads them, and so does ours."""

import datetime as dt
from typing import Any

import pytest

from pipelines import sandbox
from pipelines.sandbox import cme_wire, databento_reference
from pipelines.vendors import cme_streams
from tests.test_pipelines import bodies
from tests.test_pipelines.small_market import small_market


@pytest.fixture(scope="module")
def market() -> sandbox.Market:
    return small_market()


def body(market: sandbox.Market, schema: str) -> bytes:
    last = market.sessions[market.base]
    begins = dt.datetime.combine(last - dt.timedelta(days=1), dt.time(22), tzinfo=dt.UTC)
    return databento_reference.body(market, schema, begins, begins + dt.timedelta(days=2), "ES")


def ours(content: bytes, dataset: str) -> list[dict[str, Any]]:
    table, rejects = dict(cme_streams.read(content, bodies.TRADES_PATH))[dataset]
    assert rejects == []
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def test_definitions_are_read_by_the_vendors_own_client(market: sandbox.Market) -> None:
    import databento

    content = body(market, "definition")
    theirs = databento.DBNStore.from_bytes(content).to_df().reset_index().to_dict("records")
    rows = ours(content, "futures_definitions")
    assert [row["symbol"] for row in rows] == ["ESU5", "ESZ5"]
    assert len(theirs) == 4  # the next day's midnight repeats them, which is no news
    for told, row in zip(theirs[:2], rows, strict=True):
        assert (told["raw_symbol"], told["instrument_id"]) == (row["symbol"], row["instrument_no"])
        assert (told["expiration"], told["ts_recv"]) == (row["expires_at"], row["told_at"])
        assert (told["min_price_increment"], told["unit_of_measure_qty"]) == (row["tick_size"], row["multiplier"])
    assert rows[0]["expires_at"] == dt.datetime(2025, 9, 19, 13, 30, tzinfo=dt.UTC)


def test_statistics_say_what_the_exchanges_site_says(market: sandbox.Market) -> None:
    import databento

    content = body(market, "statistics")
    rows = ours(content, "futures_statistics")
    assert len(databento.DBNStore.from_bytes(content).to_df()) == len(rows) == 8
    told = {(row["session"], row["symbol"], row["statistic"]): row["quantity"] for row in rows}
    wanted = {}
    for number in (market.base - 1, market.base):
        for contract, *figures in cme_wire.cleared(market, number, "ES"):
            for statistic, figure in zip(("volume", "open_interest"), figures, strict=True):
                wanted[market.sessions[number], contract.symbol, statistic] = figure
    assert told == wanted
