"""How vendors are asked: never oftener than they allow, the urgent first, the same question once, keys nowhere."""

import base64
import logging
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines import sandbox, settings
from pipelines.home import Home
from pipelines.lake import sources
from pipelines.lake.ingest import ingest
from pipelines.vendors.fetcher import ParallelDataFetcher, RequestPriority
from pipelines.vendors.hosts import Hosts
from pipelines.vendors.http import Ask, HttpTransport, VendorError
from pipelines.vendors.pool import PriorityPool
from pipelines.vendors.rates import Rate
from tests import OWN
from tests.test_pipelines.small_market import small_market


@pytest.fixture(scope="module")
def market() -> sandbox.Market:
    return small_market()


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_no_window_of_a_minute_holds_more_than_the_plan_allows() -> None:
    clock, asked = Clock(), []
    rate = Rate("5/minute", clock=clock, sleep=clock.sleep)
    for number in range(23):
        rate.take()
        asked.append(clock.now)
        clock.now += (number % 7) * 3.1  # the work between
    assert all(later - first >= 60 for first, later in zip(asked, asked[5:], strict=False))
    assert asked[-1] < 23 / 5 * 60 + 60  # and no slower than needed


def test_a_pause_holds_everybody_and_no_rate_holds_nobody() -> None:
    clock = Clock()
    rate = Rate(clock=clock, sleep=clock.sleep)
    for _ in range(1000):
        rate.take()
    assert clock.now == 0
    rate.pause(15)
    rate.take()
    assert clock.now == 15
    with pytest.raises(ValueError, match="5/minute"):
        Rate("often")


def test_the_urgent_goes_first_and_may_become_so_later() -> None:
    pool, done, gate = PriorityPool[None](1), [], threading.Event()
    jobs = [pool.submit(gate.wait)]  # type: ignore[arg-type]
    def noted(name: str) -> Callable[[], None]:
        return lambda: done.append(name)

    jobs += [pool.submit(noted("low"), RequestPriority.LOW), pool.submit(noted("normal"))]
    late = pool.submit(noted("hurried"), RequestPriority.LOW)
    jobs += [pool.submit(noted("high"), RequestPriority.HIGH), late]
    pool.hurry(late, RequestPriority.HIGH)
    gate.set()
    for job in jobs:
        job.future.result(5)
    pool.shutdown()
    assert done == ["high", "hurried", "normal", "low"]


def test_identical_questions_under_way_are_one(market: sandbox.Market) -> None:
    day = market.sessions[market.base]
    target = f"/v2/aggs/grouped/locale/us/market/stocks/{day}?adjusted=false"
    with sandbox.serve(market, market.night_now(0), faults="slow@grouped", slow_s=0.2) as served:
        with HttpTransport(hosts_of(served), workers=4) as http:
            pending = [http.submit(Ask("polygon", f"polygon/{name}.json", target)) for name in "abc"]
            answers = [one.result(10) for one in pending]
            assert http.asked["polygon"] == 1
            assert [answer.ask.path for answer in answers] == [f"polygon/{name}.json" for name in "abc"]
            assert len({answer.body for answer in answers}) == 1
            http.ask(Ask("polygon", "polygon/d.json", target))
            assert http.asked["polygon"] == 2  # answered questions are asked anew, unless the asker says otherwise


def hosts_of(served: sandbox.Endpoints) -> Hosts:
    return Hosts(served.polygon, served.cboe, served.databento, served.key, served.key)


def test_the_fetcher_brings_symbols_side_by_side_and_asks_each_once(market: sandbox.Market) -> None:
    session = market.sessions[market.base]
    symbols = sorted({company.ticker_on(market.base) for company in market.cast if company.trades_on(market.base)})
    with sandbox.serve(market, market.night_now(0)) as served:
        fetcher = ParallelDataFetcher(max_workers=15, session=session, hosts=hosts_of(served))
        with pytest.raises(VendorError, match="start_processing"):
            fetcher.submit_batch(symbols)
        fetcher.start_processing()
        ids = fetcher.submit_batch([*symbols, *symbols], priority=RequestPriority.HIGH)
        tables = [fetcher.get_result(request_id, timeout=30) for request_id in ids]
        transport = fetcher._transport
        assert transport is not None and transport.asked["polygon"] == len(symbols)
        fetcher.stop_processing()
    assert [table["ticker"][0].as_py() for table in tables] == [*symbols, *symbols]
    assert all(table.num_rows > 100 for table in tables)


def test_keys_are_nowhere_in_the_home_the_logs_or_the_errors(
    market: sandbox.Market, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(sources, "FIRST_LOAD_SESSIONS", 12)
    now = market.night_now(0)
    covered = {"accept_terms": "cboe"}
    chosen = settings.load({"home": str(tmp_path), "source": "vendors", "coverage": covered}, environment=OWN)
    said = []
    for schedule in ("", "502@grouped*always"):
        with sandbox.serve(market, now, faults=schedule) as served:
            canary = served.key
            environment = {
                "POLYGON_API_KEY": canary, "DATABENTO_API_KEY": canary, "POLYGON_BASE_URL": served.polygon,
                "CBOE_BASE_URL": served.cboe, "DATABENTO_BASE_URL": served.databento,
            }  # fmt: skip
            with sources.opened(chosen, Home(tmp_path), now, environment) as source:
                transport = source.transport  # type: ignore[attr-defined]
                transport._first_wait_s, transport._attempts = 0.001, 2
                said.append(ingest(chosen, Home(tmp_path), now, source).not_had)
                said.append(repr(transport.hosts) + repr(chosen) + chosen.model_dump_json())
    assert said[0] == "" and "502" in said[2]
    found = capfd.readouterr()
    haystacks = {str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert len(haystacks) > 20
    haystacks |= {"said": "".join([*said, found.out, found.err, caplog.text]).encode()}
    basic = base64.b64encode(f"{canary}:".encode())
    for name, text in haystacks.items():
        assert canary.encode() not in text and basic not in text, name


def test_a_vendor_who_repeats_the_key_is_not_quoted() -> None:
    hosts = Hosts("http://a", "", "", "sk/very secret", "db-other")
    repeated = f"key=sk%2Fvery%20secret {base64.b64encode(b'db-other:').decode()} sk/very secret"
    assert hosts.clean(repeated) == "key=… … …"


def test_hosts_follow_the_brand_of_the_key() -> None:
    assert Hosts.from_environment({"MASSIVE_API_KEY": "k"}).polygon == "https://api.massive.com"
    assert Hosts.from_environment({"POLYGON_API_KEY": "k"}).polygon == "https://api.polygon.io"
