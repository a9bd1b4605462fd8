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
from tests.test_pipelines.scripted_vendor import Vendor, scripted
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


def listing(*keys: str, more: str = "") -> tuple[int, dict[str, str], bytes]:
    """What S3 answers to a question for a folder."""
    each = "".join(f"<Contents><Key>{one}</Key><LastModified>2025-07-01T00:00:00.000Z</LastModified><ETag>&quot;{n}"
                   f"&quot;</ETag><Size>100</Size></Contents>" for n, one in enumerate(keys))  # fmt: skip
    goes_on = f"<IsTruncated>true</IsTruncated><NextContinuationToken>{more}</NextContinuationToken>" if more else ""
    body = f"<ListBucketResult><Name>flatfiles</Name>{each}{goes_on}</ListBucketResult>"
    return 200, {"Content-Type": "application/xml"}, body.encode()


@pytest.fixture
def bucket() -> Iterator[Vendor]:
    with scripted() as state:
        yield state


DENIED = (403, {}, b"<Error><Code>AccessDenied</Code><Message>not in your plan</Message></Error>")


def test_days_that_are_listed_and_not_in_the_plan_are_asked_otherwise(
    market: sandbox.Market, bucket: Vendor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    days = calendars.sessions(dt.date(2025, 6, 26), dt.date(2025, 6, 30))
    bucket.script["/flatfiles"] = [listing(*(key(day) for day in days))]
    for day in days:
        bucket.script[f"/flatfiles/{key(day)}"] = [DENIED]
    body = day_file(days[-1])
    told = {"ETag": '"2"', "Last-Modified": "Tue, 01 Jul 2025 00:00:00 GMT"}
    bucket.script[f"/flatfiles/{key(days[-1])}"] = [(200, told, body)]
    assert pull(market, bucket.address, tmp_path, 0).vendors["polygon"].new_bodies > len(days)
    assert grouped_days(tmp_path) == set(days[:-1])
    said = capsys.readouterr().err
    assert said.count("not in the plan") == 1 and "2 of 3 are listed and not in the plan (2025-06-26 to" in said
    assert pull(market, bucket.address, tmp_path, 0).unchanged


def test_the_doctor_sees_that_a_list_is_no_door(bucket: Vendor) -> None:
    day = dt.date(2025, 6, 30)
    bucket.script["/flatfiles"] = [listing(key(day))]
    bucket.script[f"/flatfiles/{key(day)}"] = [DENIED, (206, {"ETag": '"0"', "Content-Range": "bytes 0-0/100",
                                                             "Last-Modified": "Tue, 01 Jul 2025 00:00:00 GMT"}, b"x")]
    files = FlatFiles(hosts_of(bucket.address), retries=0)
    (one,) = files.listed(DAYS, day, day)
    assert not files.opens(one)
    assert files.opens(one)


def test_a_list_of_odd_names_gives_the_days_among_them(bucket: Vendor) -> None:
    day = dt.date(2025, 6, 30)
    odd = [f"{DAYS}/2025/06/2025-06-31.csv.gz", f"{DAYS}/2025/13/2025-13-01.csv.gz", f"{DAYS}/2025/06/x.csv.gz"]
    bucket.script["/flatfiles"] = [listing(*odd, key(day))]
    listed = FlatFiles(hosts_of(bucket.address), retries=0).listed(DAYS, dt.date(2025, 1, 1), dt.date(2025, 12, 31))
    assert [one.day for one in listed] == [day]


def test_a_list_without_end_is_left(bucket: Vendor) -> None:
    bucket.script["/flatfiles"] = [listing(*(f"{DAYS}/2025/{n}.txt" for n in range(1000)), more="again")]
    with pytest.raises(VendorError, match="lists more than 10,000"):
        FlatFiles(hosts_of(bucket.address), retries=0).listed(DAYS, dt.date(2025, 1, 1), dt.date(2025, 1, 2))
    assert len(bucket.seen) <= 12


@pytest.mark.parametrize("answer", [(200, {}, b"<html>"), (500, {}, b"files-secret"), (301, {"Location": "/x"}, b""),
                                    (400, {}, b"\xff\nfiles-key"), (404, {}, b"")])  # fmt: skip
def test_what_is_no_list_is_said_in_one_line(bucket: Vendor, answer: tuple[int, dict[str, str], bytes]) -> None:
    bucket.script["/flatfiles"] = bucket.script["/x"] = [answer]
    with pytest.raises(VendorError, match="could not be had") as caught:
        FlatFiles(hosts_of(bucket.address), retries=0).listed(DAYS, dt.date(2025, 1, 1), dt.date(2025, 1, 2))
    said = str(caught.value)
    assert "\n" not in said and "files-secret" not in said and "files-key" not in said


def test_keys_that_no_header_can_carry_are_not_quoted() -> None:
    odd = replace(hosts_of("http://127.0.0.1:9"), flatfiles_id="odd\nkey-id", flatfiles_secret="odd\nsecret")
    with pytest.raises(VendorError) as caught:
        FlatFiles(odd, retries=0).listed(DAYS, dt.date(2025, 1, 1), dt.date(2025, 1, 2))
    assert "secret" not in str(caught.value) and "key-id" not in str(caught.value)


@pytest.mark.parametrize("address", ["nonsense", "http://[half", "ftp://127.0.0.1:9", "https://127.0.0.1:9",
                                     "https://no host", "http://127.0.0.1:99999", ""])  # fmt: skip
def test_a_bucket_at_no_address_is_said_in_one_line(address: str) -> None:
    with pytest.raises(VendorError, match="flat files"):
        FlatFiles(hosts_of(address), retries=0).listed(DAYS, dt.date(2025, 1, 1), dt.date(2025, 1, 2))
