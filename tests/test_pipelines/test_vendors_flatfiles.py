"""Flat files over their own protocol, from a real S3 server on loopback: listed, signed for, and told apart by ETag."""

import datetime as dt
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines import calendars, sandbox, settings
from pipelines.home import Home
from pipelines.lake import sources
from pipelines.lake.ingest import IngestResult, ingest
from pipelines.vendors.flatfiles import FlatFiles
from pipelines.vendors.hosts import Hosts, VendorError
from tests import OWN
from tests.test_pipelines import bodies
from tests.test_pipelines.lake_told import versions
from tests.test_pipelines.small_market import small_market

DAYS = "us_stocks_sip/day_aggs_v1"
HEADER = "ticker,volume,open,close,high,low,window_start,transactions"


@pytest.fixture(scope="module")
def market() -> sandbox.Market:
    return small_market()


@pytest.fixture
def server(caplog: pytest.LogCaptureFixture) -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    caplog.set_level("ERROR", logger="werkzeug")
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    address = f"http://{host}:{port}"
    for method, place in (("POST", "moto-api/reset"), ("PUT", "flatfiles")):
        urllib.request.urlopen(urllib.request.Request(f"{address}/{place}", method=method)).close()
    yield address
    moto.stop()


def put(address: str, name: str, body: bytes) -> None:
    import obstore

    obstore.put(FlatFiles(hosts_of(address))._store, name, body)


def day_file(day: dt.date, close: float = 10.0, ticker: str = "AAA") -> bytes:
    start = int(dt.datetime(day.year, day.month, day.day, 4, tzinfo=dt.UTC).timestamp()) * 1_000_000_000
    return bodies.flat(f"{ticker},1000.5,10,{close},11,9,{start},10")


def key(day: dt.date, kind: str = DAYS) -> str:
    return f"{kind}/{day:%Y}/{day:%m}/{day}.csv.gz"


def hosts_of(address: str) -> Hosts:
    return Hosts("", "", "", "", "", flatfiles=address, flatfiles_id="files-key", flatfiles_secret="files-secret")


def test_objects_are_listed_by_day_across_years_and_brought_in_order(server: str) -> None:
    days = [dt.date(2024, 12, 30), dt.date(2024, 12, 31), dt.date(2025, 1, 2), dt.date(2025, 1, 3)]
    for day in days:
        put(server, key(day), day_file(day))
    put(server, f"{DAYS}/2025/01/README.txt", b"?")
    bucket = FlatFiles(hosts_of(server), retries=0)
    listed = bucket.listed(DAYS, days[1], days[3])
    assert [one.day for one in listed] == days[1:] and all(one.etag and one.size for one in listed)
    brought = list(bucket.bodies(listed))
    assert [one.day for one, _ in brought] == days[1:]
    assert [body for _, body in brought] == [day_file(day) for day in days[1:]]
    assert bucket.asked == 2 + 3


def test_a_bucket_that_cannot_be_reached_is_named_without_its_keys() -> None:
    with pytest.raises(VendorError, match="flat files") as caught:
        FlatFiles(hosts_of("http://127.0.0.1:9"), retries=0).listed(DAYS, dt.date(2025, 1, 1), dt.date(2025, 1, 2))
    assert "files-secret" not in str(caught.value) and "files-key" not in str(caught.value)


def test_an_object_gone_between_listing_and_asking_is_said(server: str) -> None:
    day = dt.date(2025, 6, 30)
    put(server, key(day), day_file(day))
    bucket = FlatFiles(hosts_of(server), retries=0)
    (one,) = bucket.listed(DAYS, day, day)
    with pytest.raises(VendorError, match="could not be had"):
        list(bucket.bodies([replace(one, key=one.key + "x")]))


@contextmanager
def opened(market: sandbox.Market, address: str, folder: Path, number: int, **coverage: Any) -> Iterator[Any]:
    covered = {"start": "2025-06-26", "roots": "", "flatfiles": DAYS, **coverage}
    given = {"home": str(folder), "source": "vendors", "coverage": covered}
    chosen = settings.load(given, environment=OWN)
    with sandbox.serve(market, market.night_now(number)) as served:
        environment = {
            "POLYGON_API_KEY": served.key, "POLYGON_BASE_URL": served.polygon, "CBOE_BASE_URL": served.cboe,
            "MASSIVE_S3_ACCESS_KEY_ID": "files-key", "MASSIVE_S3_SECRET_ACCESS_KEY": "files-secret",
            "MASSIVE_S3_ENDPOINT": address,
        }  # fmt: skip
        with sources.opened(chosen, Home(folder), market.night_now(number), environment) as source:
            yield chosen, source


def pull(market: sandbox.Market, address: str, folder: Path, number: int, **coverage: Any) -> IngestResult:
    with opened(market, address, folder, number, **coverage) as (chosen, source):
        return ingest(chosen, Home(folder), market.night_now(number), source)


def grouped_days(folder: Path) -> set[dt.date]:
    return {day for source, day in versions(folder, "equity_bars", "source", "session") if source == "grouped"}


def test_the_last_session_comes_by_rest_and_its_file_follows_the_next_night(
    market: sandbox.Market, server: str, tmp_path: Path
) -> None:
    days = calendars.sessions(dt.date(2025, 6, 26), dt.date(2025, 6, 30))
    ticker = next(one.ticker_on(market.base) for one in market.cast if one.trades_on(0) and one.trades_on(market.base))
    for day in days[:-1]:
        put(server, key(day), day_file(day))
    pull(market, server, tmp_path, 0)
    assert grouped_days(tmp_path) == {days[-1]}
    put(server, key(days[-1]), day_file(days[-1], ticker=ticker))
    night = market.night_now(1)
    pull(market, server, tmp_path, 1)
    late = [row for row in versions(tmp_path, "equity_bars", "source", "ticker", "session", "available_at")
            if row[0] == "flatfile" and row[2] == days[-1]]  # fmt: skip
    # Another source of a fact that is held already: what it says instead counts from its receipt, not from the close.
    assert late == [("flatfile", ticker, days[-1], night)]
    again = pull(market, server, tmp_path, 1)
    assert again.unchanged


def test_a_republished_day_of_any_age_is_fetched_again_and_only_that_one(
    market: sandbox.Market, server: str, tmp_path: Path
) -> None:
    days = calendars.sessions(dt.date(2025, 6, 26), dt.date(2025, 6, 30))
    for day in days:
        put(server, key(day), day_file(day))
    pull(market, server, tmp_path, 0)
    put(server, key(days[0]), day_file(days[0], close=10.5))
    told = pull(market, server, tmp_path, 0)
    assert told.vendors["polygon"].new_bodies == 1
    assert [row for row in versions(tmp_path, "equity_bars", "session", "close") if row[1] == 10.5] == [(days[0], 10.5)]


def test_a_dry_run_knows_the_files_sizes_and_keys_are_wanted(
    market: sandbox.Market, server: str, tmp_path: Path
) -> None:
    day = dt.date(2025, 6, 27)
    put(server, key(day), day_file(day))
    with opened(market, server, tmp_path, 0) as (_, source):
        from pipelines.lake import raw

        lines = {line.what: line for line in source.forecast(raw.Held.read(Home(tmp_path)), market.night_now(0))}
    assert (lines["flat files"].requests, lines["flat files"].bytes) == (1, len(day_file(day)))
    assert lines["days"].requests == 2
    chosen = settings.load(
        {"home": str(tmp_path), "source": "vendors", "coverage": {"flatfiles": DAYS, "roots": ""}}, environment=OWN
    )
    with pytest.raises(sources.SourceError, match="MASSIVE_S3_ACCESS_KEY_ID"):
        with sources.opened(chosen, Home(tmp_path), market.night_now(0), {"POLYGON_API_KEY": "k"}):
            pass
