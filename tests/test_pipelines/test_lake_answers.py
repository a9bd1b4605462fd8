"""What a killed pull had been told is not asked again, and what a desk may ask for beyond the usual night."""

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines import sandbox, settings
from pipelines.home import Home
from pipelines.lake import sources
from pipelines.lake.answers import FRESH, PAID_FRESH, Answers
from pipelines.lake.asks import VendorPull
from pipelines.lake.ingest import IngestResult, ingest
from pipelines.lake.more_asks import More
from pipelines.lake.plan import Plan
from pipelines.lake.sources import HttpSource, sandbox_plan
from pipelines.vendors.http import Ask, Hosts, HttpTransport
from pipelines.vendors.layout import Delivery
from tests import OWN
from tests.test_pipelines import bodies
from tests.test_pipelines.lake_told import at, versions
from tests.test_pipelines.scripted_vendor import Vendor, scripted
from tests.test_pipelines.small_market import SIZES, small_market

KEY = "sk-very-secret-0123456789"


@pytest.fixture(scope="module")
def market() -> sandbox.Market:
    return small_market()


def night(
    market: sandbox.Market, folder: Path, schedule: str, asked: dict[str, int], later: dt.timedelta = dt.timedelta(0)
) -> IngestResult:
    """A night that dies at what `schedule` says of its vendors; `asked` gets how many questions went out."""
    now = market.night_now(0)
    chosen = settings.load({"home": str(folder), "sandbox": SIZES}, environment=OWN)
    with sandbox.serve(market, now, faults=schedule) as served:
        hosts = Hosts(served.polygon, served.cboe, served.databento, served.key, served.key)
        with HttpTransport(hosts, first_wait_s=0.001, attempts=1) as transport:
            plan = sandbox_plan(chosen, market, now)
            plan = replace(plan, days=plan.days[-12:], minutes=())
            try:
                return ingest(chosen, Home(folder), now + later, HttpSource(Home(folder), transport, plan))
            finally:
                asked |= transport.asked


def test_a_pull_that_broke_off_goes_on_where_it_ended_and_says_the_same(
    market: sandbox.Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(pull: VendorPull) -> list[Ask]:
        raise OSError("the disk is gone")

    whole: dict[str, int] = {}
    night(market, tmp_path / "whole", "", whole)
    first, second = dict[str, int](), dict[str, int]()
    with monkeypatch.context() as patched:
        patched.setattr(VendorPull, "chain_asks", broken)
        with pytest.raises(OSError, match="the disk is gone"):
            night(market, tmp_path / "cut", "", first)
    assert not list((tmp_path / "cut" / "lake/raw/facts").glob("batch-000001"))
    night(market, tmp_path / "cut", "", second)
    assert first["polygon"] == whole["polygon"] and second["polygon"] < first["polygon"] / 3
    assert second["cme"] == whole["cme"]
    for dataset in ("equity_bars", "splits", "tickers"):
        columns = ("ticker", "available_at", "body_sha256")
        assert versions(tmp_path / "cut", dataset, *columns) == versions(tmp_path / "whole", dataset, *columns)
    assert not (tmp_path / "cut" / "work/answered.jsonl").exists()


def test_old_answers_are_asked_for_again_but_what_was_paid_for_stays_longer(tmp_path: Path) -> None:
    home = Home(tmp_path).prepare()
    from pipelines.lake import answers, raw

    sha256 = raw.sha256_of(b"{}")
    raw.keep_bodies(home, {sha256: b"{}"})
    one = Delivery("a.json", sha256, None, at(1), '"one"', "/a?x")
    answers.note(home, [one, replace(one, path="gone.json", sha256="0" * 64), replace(one, url=None)], at(1))
    with open(home.work / "answered.jsonl", "a") as torn:
        torn.write('{"path": "half')
    for age, paid, found in ((FRESH, False, True), (FRESH * 1.01, False, False), (FRESH * 1.01, True, True),
                             (PAID_FRESH * 1.01, True, False), (-FRESH, False, False)):  # fmt: skip
        known = Answers.read(home, at(1) + age).body("a.json", "/a?x", paid=paid)
        assert known == ((b"{}", '"one"') if found else None)
    assert Answers.read(home, at(1)).body("a.json", "/a?y") is None
    assert Answers.read(home, at(1)).body("gone.json", "/a?x") is None
    answers.forget(home, at(2), {("gone.json", "0" * 64)})
    assert [json.loads(line)["path"] for line in (home.work / "answered.jsonl").read_text().splitlines()] == ["a.json"]
    answers.forget(home, at(1) + PAID_FRESH * 1.01, ())
    assert not (home.work / "answered.jsonl").exists()


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with scripted() as state:
        yield state


def pull(vendor: Vendor, folder: Path, more: More, *, day: int = 1) -> IngestResult:
    empty = (200, {}, bodies.envelope([]))
    for path in ("v3/reference/tickers", "stocks/v1/splits", "stocks/v1/dividends"):
        vendor.script[f"/{path}"] = [empty]
    days = (dt.date(2025, 6, 27), dt.date(2025, 6, 30))
    vendor.script |= {f"/v2/aggs/grouped/locale/us/market/stocks/{one}": [empty] for one in days}
    hosts = Hosts(vendor.address, vendor.address, vendor.address, KEY, KEY, cme_site=vendor.address)
    plan = Plan(days=days, minutes=(), chains=(), ticks=(), chain_symbols=(), roots=(), more=more)
    chosen = settings.load({"home": str(folder)}, environment=OWN)
    with HttpTransport(hosts, first_wait_s=0.001) as transport:
        return ingest(chosen, Home(folder), at(day), HttpSource(Home(folder), transport, plan))


def test_the_exchanges_own_site_is_asked_without_a_key_and_its_final_report_follows(
    vendor: Vendor, tmp_path: Path
) -> None:
    stem = "/CmeWS/mvc/Volume/Details/F/437"
    none = bodies.dump({"tradeDate": "20250630", "monthData": [], "empty": True})
    vendor.script |= {
        f"{stem}/20250627/F": [(403, {}, b"<html>no bots</html>")], f"{stem}/20250630/P": [(200, {}, bodies.details())],
        f"{stem}/20250630/F": [(200, {}, none),
                               (200, {}, bodies.details({"month": "AUG 2025", "totalVolume": "1,300"}))],
    }  # fmt: skip
    told = [pull(vendor, tmp_path, More(details=("GC",)), day=day) for day in (1, 2)]
    assert all(one.quarantined == {} for one in told)
    asked = [(path, headers) for path, headers in vendor.seen if path.startswith("/CmeWS")]
    assert len(asked) == 6 and "pageSize=500" in asked[0][0]
    assert all("Authorization" not in headers for _, headers in asked)
    assert set(versions(tmp_path, "volume_details", "report", "symbol", "volume")) == {
        ("preliminary", "GCQ5", 1234.0), ("preliminary", "GCZ5", None), ("final", "GCQ5", 1300.0)}  # fmt: skip


def test_pictures_indices_statistics_and_holidays_come_when_they_are_named(vendor: Vendor, tmp_path: Path) -> None:
    first = bodies.dump({"status": "OK", "results": [bodies.pictured("O:SPXW250630C06000000")],
                         "next_url": f"{vendor.address}/v3/snapshot/options/I%3ASPX?cursor=two"})  # fmt: skip
    second = bodies.envelope([bodies.pictured("O:SPXW250630P06000000")])
    levels = bodies.envelope([{"t": 1751256000000, "o": 16.9, "h": 17.2, "l": 16.6, "c": 16.7}])
    vendor.script |= {
        "/v3/snapshot/options/I%3ASPX": [(200, {}, first), (200, {}, second)],
        "/v1/marketstatus/upcoming": [(200, {}, bodies.upcoming())],
        "/v2/aggs/ticker/I%3AVIX/range/1/day/2025-06-27/2025-06-30": [(200, {}, levels)],
        "/api/global/us_indices/daily_prices/VVIX_History.csv": [(200, {}, b"DATE,VVIX\n06/30/2025,90.5\n")],
        "/data/us/options/market_statistics/daily/2025-06-27_daily_options": [(403, {}, b"<Error/>")],
        "/data/us/options/market_statistics/daily/2025-06-30_daily_options": [(200, {}, bodies.statistics())],
    }  # fmt: skip
    more = More(snapshots=("I:SPX",), indices=("I:VIX",), cboe_indices=("VVIX",), statistics=2, holidays=True)
    told = pull(vendor, tmp_path, more)
    assert told.quarantined == {}
    assert told.rows == {"index_bars": 1, "index_levels": 1, "market_days": 2, "market_statistics": 2,
                         "option_snapshots": 2}  # fmt: skip
    # One picture a session: the next run leaves it, and asks conditionally or for what was not there.
    again = pull(vendor, tmp_path, more)
    assert again.unchanged and not [path for path, _ in vendor.seen[-9:] if "snapshot" in path]


def test_a_page_that_names_itself_ends_its_list(
    vendor: Vendor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = bodies.dump({"status": "OK", "results": [bodies.pictured("O:SPXW250630C06000000")],
                        "next_url": f"{vendor.address}/v3/snapshot/options/I%3ASPX?cursor=two"})  # fmt: skip
    vendor.script |= {"/v3/snapshot/options/I%3ASPX": [(200, {}, page)]}
    told = pull(vendor, tmp_path, More(snapshots=("I:SPX",)))
    assert told.rows == {"option_snapshots": 1}
    assert "a page that was had already" in capsys.readouterr().err


def test_what_is_undocumented_waits_for_its_terms(capsys: pytest.CaptureFixture[str]) -> None:
    named: dict[str, Any] = {"cboe_indices": "VIX", "details": "GC", "statistics": True, "flatfiles": "a/b"}
    last = dt.date(2025, 6, 30)
    coverage = settings.load({"coverage": named}, environment=OWN).coverage
    assert sources.vendors_plan(coverage, last).more == More(flatfiles=("a/b",), holidays=True, companies=True)
    assert "accept_terms=cme" in capsys.readouterr().err
    accepted = settings.load({"coverage": {**named, "accept_terms": "cboe,cme"}}, environment=OWN).coverage
    told = sources.vendors_plan(accepted, last).more
    assert (told.cboe_indices, told.statistics, told.details) == (("VIX",), sources.FIRST_LOAD_SESSIONS, ("GC",))
    with pytest.raises(sources.SourceError, match="no product number is known of XX"):
        sources.vendors_plan(accepted.model_copy(update={"details": ("XX",)}), last)
