"""A vendor with a wrong key, without a licence or without an answer costs the night its own data and nobody else's."""

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines import calendars, settings
from pipelines.home import Home
from pipelines.lake.facts import read_dataset
from pipelines.lake.ingest import IngestResult, ingest
from pipelines.lake.more_asks import More
from pipelines.lake.plan import Plan
from pipelines.lake.sources import HttpSource
from pipelines.lake.trouble import MOST_SILENT
from pipelines.vendors.hosts import Hosts
from pipelines.vendors.http import HttpTransport
from tests import OWN
from tests.conftest import nightdesk
from tests.test_pipelines import bodies
from tests.test_pipelines.bodies import bar, grouped
from tests.test_pipelines.scripted_vendor import Vendor, scripted

DAYS = (dt.date(2025, 6, 26), dt.date(2025, 6, 27), dt.date(2025, 6, 30))
STATISTICS = "/data/us/options/market_statistics/daily"
DENIED = bodies.dump({"detail": {"case": "license_not_found", "message": "Not licensed", "status_code": 403}})


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with scripted() as state:
        for path in ("v3/reference/tickers", "stocks/v1/splits", "stocks/v1/dividends"):
            state.script[f"/{path}"] = [(200, {}, bodies.envelope([]))]
        for day in DAYS:
            state.script[f"/v2/aggs/grouped/locale/us/market/stocks/{day}"] = [(200, {}, grouped(bar("AAA", 10.0)))]
        state.script["/v0/metadata.get_cost"] = [(200, {}, b"0.5")]
        state.script["/v0/timeseries.get_range"] = [(403, {}, DENIED)]
        yield state


def pull(vendor: Vendor, folder: Path, **plan: Any) -> tuple[IngestResult, HttpTransport]:
    hosts = Hosts(vendor.address, vendor.address, vendor.address, "key", "key")
    wanted = Plan(**{"days": DAYS, "minutes": (), "chains": (), "ticks": DAYS[-1:], "roots": ("ES", "NQ"), **plan})
    chosen = settings.load({"home": str(folder)}, environment=OWN)
    with HttpTransport(hosts, attempts=1, first_wait_s=0.001, workers=1) as transport:
        source = HttpSource(Home(folder), transport, wanted, max_usd=10.0)
        return ingest(chosen, Home(folder), dt.datetime(2025, 7, 1, 6, tzinfo=dt.UTC), source), transport


@pytest.mark.parametrize(("what", "status", "failed"), [
    ("get_cost", 401, "cme, price of the night"), ("get_range", 401, "cme, futures trades"),
    ("get_range", 403, "cme, futures trades"), ("get_range", 422, "cme, futures trades"),
])  # fmt: skip
def test_what_databento_refuses_is_told_once_and_the_others_are_asked(
    vendor: Vendor, tmp_path: Path, what: str, status: int, failed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in ("/v0/metadata.get_cost", "/v0/timeseries.get_range"):
        if what in path:
            vendor.script[path] = [(status, {}, DENIED)]
    told, _ = pull(vendor, tmp_path, extras=("definition",))
    assert list(told.failed) == [failed] and "Not licensed" in told.not_had and not told.stops
    assert len(read_dataset(Home(tmp_path), "equity_bars")["session"].unique()) == len(DAYS)
    said = capsys.readouterr().err
    assert said.count("cme, futures trades:") == (what == "get_range")
    assert said.count("nothing more in this run") == (status == 401)
    asked = sum(path == "/v0/timeseries.get_range" for path, _ in vendor.seen)
    assert asked == {"get_cost": 0, "get_range": 4 if status != 401 else asked}[what] and asked <= 4


@pytest.mark.parametrize("of", [1, len(DAYS)])
def test_a_plan_without_a_single_day_is_a_failure_and_one_without_some_is_none(
    vendor: Vendor, tmp_path: Path, of: int
) -> None:
    denied = bodies.dump({"status": "NOT_AUTHORIZED", "message": "You are not entitled to this data"})
    for day in DAYS[:of]:
        vendor.script[f"/v2/aggs/grouped/locale/us/market/stocks/{day}"] = [(403, {}, denied)]
    told, _ = pull(vendor, tmp_path, roots=())
    assert (list(told.failed), told.stops) == ((["polygon, days"], True) if of == len(DAYS) else ([], False))


def test_what_nobody_asked_for_by_name_is_no_failure(vendor: Vendor, tmp_path: Path) -> None:
    told, _ = pull(vendor, tmp_path, schemas=(), extras=("definition",))
    assert told.failed == {}


def test_a_vendor_who_stays_silent_is_left_alone(vendor: Vendor, tmp_path: Path) -> None:
    days = tuple(calendars.previous_sessions(DAYS[-1], 30))
    for day in days:
        vendor.script[f"/v2/aggs/grouped/locale/us/market/stocks/{day}"] = [(200, {}, grouped(bar("AAA", 10.0)))]
        vendor.script[f"{STATISTICS}/{day}_daily_options"] = [(503, {}, b"busy")]
    told, transport = pull(vendor, tmp_path, roots=(), days=days, more=More(statistics=len(days)))
    assert list(told.failed) == ["cboe, market statistics"] and not told.stops
    assert MOST_SILENT <= transport.asked["cboe"] < MOST_SILENT + 5  # those on their way when it was seen
    assert len(read_dataset(Home(tmp_path), "equity_bars")["session"].unique()) == len(days)


def test_the_command_lands_the_rest_fails_and_says_what_was_not_had(vendor: Vendor, tmp_path: Path) -> None:
    vendor.script["/v0/metadata.get_cost"] = [(401, {}, DENIED)]
    vendor.script["/v1/marketstatus/upcoming"] = [(200, {}, b"[]")]
    keys = {"MASSIVE_API_KEY": "right-key-right", "DATABENTO_API_KEY": "wrong-key-wrong"}
    places = {f"{name}_BASE_URL": vendor.address for name in ("POLYGON", "DATABENTO", "CBOE")}
    ended = nightdesk("ingest", "--source", "vendors", "--set", "coverage.start=2025-06-26", "--now",
                      "2025-07-01T06:00:00+0000", "--json", home=tmp_path / "home", **keys, **places)  # fmt: skip
    assert ended.returncode == 1, ended.stderr
    told = json.loads(ended.stdout)
    assert told["rows"]["equity_bars"] == len(DAYS) and list(told["failed"]) == ["cme, price of the night"]
    assert "asks for what is missing" in ended.stderr and "wrong-key-wrong" not in ended.stdout + ended.stderr
