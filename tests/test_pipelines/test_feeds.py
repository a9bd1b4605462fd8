"""A recorded tape says what the market did, in the vendor's own words, and the same night records the same bytes."""

import datetime as dt
import io
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from live.adapters.tape import TapeFeed
from pipelines import calendars, feeds, sandbox
from pipelines import settings as settings_module
from pipelines.home import Home
from pipelines.sandbox import Market
from pipelines.vendors import paging, polygon_reference
from pipelines.vendors.http import Hosts, HttpTransport, VendorError
from pipelines.vendors.paging import Followed
from tests import OWN
from tests.test_pipelines import bodies
from tests.test_pipelines.scripted_vendor import scripted

SIZES = {"sandbox": {"small": True, "names": 8, "sessions": 100, "nights": 6}}


@pytest.fixture(scope="module")
def market() -> Market:
    return sandbox.generate(settings_module.load(SIZES, environment=OWN))


def symbols_of(market: Market) -> list[feeds.SymbolRow]:
    rows: list[feeds.SymbolRow] = []
    for company in market.cast:
        starts = [*company.tickers, (None, "")]
        for (start, ticker), (stop, _) in zip(starts, starts[1:], strict=False):
            ends = market.sessions[stop] if stop is not None else None
            if company.last is not None and ends is None:
                ends = market.sessions[company.last] + dt.timedelta(days=1)
            rows.append((ticker, company.figi, market.sessions[start], ends))
    return rows


@pytest.fixture(scope="module")
def tape(market: Market, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tape") / "tape.parquet"
    path.write_bytes(feeds.record(market, market.sessions[market.base + 1 : market.base + 5], symbols_of(market)))
    return path


def test_the_tape_is_the_markets_own_minutes(market: Market, tape: Path) -> None:
    feed = TapeFeed(tape)
    figi = {company.ticker_on(market.base + 1): company.figi for company in market.cast
            if company.trades_on(market.base + 1)}
    for session in feed.sessions():
        truth = market.minute_bars(session).to_pylist()
        expected = {(figi[row["ticker"]], row["bar_start"]): row for row in truth}
        bars = list(feed.bars(session))
        assert len(bars) == len(expected) > 1_000
        assert [bar.start_us for bar in bars] == sorted(bar.start_us for bar in bars)
        for bar in bars:
            row = expected[bar.instrument_id, dt.datetime.fromtimestamp(bar.start_us / 1e6, dt.UTC)]
            assert bar[2:] == (row["open"], row["high"], row["low"], row["close"], row["volume"])


def test_its_bars_add_up_to_the_vendors_day(market: Market, tape: Path) -> None:
    session = market.sessions[market.base + 1]
    names = [company.figi for company in market.cast]
    days: dict[str, list[float]] = {}
    for bar in TapeFeed(tape).bars(session):
        day = days.setdefault(bar.instrument_id, [bar.open, bar.high, bar.low, bar.close, 0.0])
        day[1:] = [max(day[1], bar.high), min(day[2], bar.low), bar.close, day[4] + bar.volume]
    bars, row = market.bars, market.base + 1
    for name, day in days.items():
        place = names.index(name)
        whole = [float(column[row, place]) for column in (bars.open, bars.high, bars.low, bars.close, bars.volume)]
        assert day == whole


def test_an_action_is_told_from_the_session_that_can_know_it(market: Market, tape: Path) -> None:
    feed = TapeFeed(tape)
    late = next(split for split in market.splits if split.ex > market.base)
    ex_date, figi = market.sessions[late.ex], market.cast[late.company].figi
    told = {session: [a for a in feed.actions(session) if a.kind == "split" and a.ex_date == ex_date]
            for session in feed.sessions()}
    for session, actions in told.items():
        known = late.published_at <= calendars.open_at(session) - feeds.DECIDED_BEFORE_OPEN
        assert [(a.instrument_id, a.amount) for a in actions] == ([(figi, 2.0)] if known else [])
    assert any(told.values()) and not all(told.values())


def test_the_same_sessions_record_the_same_bytes(market: Market, tape: Path) -> None:
    again = feeds.record(market, market.sessions[market.base + 1 : market.base + 5], symbols_of(market))
    assert again == tape.read_bytes()
    assert pq.read_metadata(io.BytesIO(again)).num_rows == sum(
        market.minute_bars(session).num_rows for session in TapeFeed(tape).sessions())


def test_other_sources_and_the_markets_end_are_said_plainly(tmp_path: Path) -> None:
    home = Home(tmp_path)
    files = settings_module.load({**SIZES, "source": "files:/nowhere"}, environment=OWN)
    with pytest.raises(feeds.NoComingSession, match="replay:TAPE"):
        feeds.record_tape(files, home, sandbox.night_now(files, 0))
    ended = settings_module.load(SIZES, environment=OWN)
    with pytest.raises(feeds.NoComingSession, match="the sandbox ends"):
        feeds.record_tape(ended, home, sandbox.night_now(ended, 6))


def test_a_list_is_followed_once_and_not_for_ever(capsys: pytest.CaptureFixture[str]) -> None:
    followed = Followed("stocks/v1/splits", "/first")
    assert [followed.on(page) for page in ("/second", "/third", None)] == ["/second", "/third", None]
    assert followed.on("/second") is None
    assert "page 3 names a page that was had already" in capsys.readouterr().err
    endless = Followed("stocks/v1/splits", "/0")
    with pytest.raises(VendorError, match="still another page after 10,000"):
        for number in range(1, paging.MOST_PAGES + 1):
            assert endless.on(f"/{number}")


def test_a_live_list_that_turns_in_a_circle_ends() -> None:
    day = dt.date(2025, 6, 30)
    row = {"id": "E1", "ticker": "AAA", "execution_date": str(day), "split_from": 1, "split_to": 4}
    with scripted() as vendor:
        page = bodies.envelope([row], next_url=f"{vendor.address}/stocks/v1/splits?cursor=two")
        vendor.script |= {"/stocks/v1/splits": [(200, {}, page)]}
        with HttpTransport(Hosts(vendor.address, vendor.address, vendor.address, "key", "key")) as transport:
            rows = list(feeds._listed(transport, "splits", "execution_date", day, day, polygon_reference.splits))
    assert len(rows) == 2 and {row["ticker"] for row in rows} == {"AAA"}


@pytest.mark.parametrize("body", [b"[]", b"[1, 2]", b"<html>", b"{", b"null", b'{"results": 5, "next_url": 7}'])
def test_a_live_list_that_is_none_has_no_rows(body: bytes) -> None:
    day = dt.date(2025, 6, 30)
    with scripted() as vendor:
        vendor.script |= {"/stocks/v1/splits": [(200, {}, body)]}
        hosts = Hosts(vendor.address, vendor.address, vendor.address, "key", "key")
        with HttpTransport(hosts, attempts=1) as transport:
            assert list(feeds._listed(transport, "splits", "execution_date", day, day, polygon_reference.splits)) == []
