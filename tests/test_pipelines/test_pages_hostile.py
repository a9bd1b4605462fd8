"""Lists whose pages lead astray, asked for by the real pull: no page twice, none elsewhere, and no fact lost by it."""

import datetime as dt
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines import settings
from pipelines.home import Home
from pipelines.lake.facts import read_dataset
from pipelines.lake.ingest import IngestResult, ingest
from pipelines.lake.plan import Plan
from pipelines.lake.sources import HttpSource
from pipelines.vendors import paging
from pipelines.vendors.hosts import Hosts
from pipelines.vendors.http import HttpTransport
from tests import OWN
from tests.test_pipelines.scripted_vendor import Vendor, scripted

LISTS = ("/v3/reference/tickers", "/stocks/v1/splits", "/stocks/v1/dividends")
NOTHING = Plan(days=(dt.date(2025, 6, 30),), minutes=(), chains=(), ticks=(), symbols=("AAA",), roots=())
SPLITS = "/stocks/v1/splits"


def page(*ids: str, next_url: str | None = None) -> tuple[int, dict[str, str], bytes]:
    rows = [{"id": one, "ticker": "AAA", "execution_date": "2025-06-30", "split_from": 1, "split_to": 2 + n}
            for n, one in enumerate(ids)]  # fmt: skip
    told: dict[str, Any] = {"status": "OK", "results": rows}
    return 200, {}, json.dumps(told | ({"next_url": next_url} if next_url else {})).encode()


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with scripted() as state:
        for path in LISTS:
            state.script[path] = [page()]
        state.script["/v2/aggs/ticker/AAA/range/1/day/2025-06-30/2025-06-30"] = [page()]
        yield state


def pull(vendor: Vendor, folder: Path, day: int = 1) -> IngestResult:
    now = dt.datetime(2025, 7, day, 6, tzinfo=dt.UTC)
    chosen = settings.load({"home": str(folder)}, environment=OWN)
    hosts = Hosts(vendor.address, vendor.address, vendor.address, "key", "key")
    with HttpTransport(hosts, attempts=2, first_wait_s=0.001, quota_wait_s=0.001) as transport:
        return ingest(chosen, Home(folder), now, HttpSource(Home(folder), transport, NOTHING))


def held(folder: Path) -> list[tuple[str, bool]]:
    """Splits that stand, and whether they were taken back."""
    table = read_dataset(Home(folder), "splits").sort_by("available_at")
    return sorted({row["vendor_id"]: row["withdrawn"] for row in table.to_pylist()}.items())


def asked(vendor: Vendor, path: str = SPLITS) -> int:
    return sum(seen.partition("?")[0] == path for seen, _ in vendor.seen)


def test_a_page_that_names_itself_ends_the_list(
    vendor: Vendor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    vendor.script[SPLITS] = [page("A", next_url=f"{SPLITS}?cursor=1"), page("B", next_url=f"{SPLITS}?cursor=1")]
    pull(vendor, tmp_path)
    assert held(tmp_path) == [("A", False), ("B", False)] and asked(vendor) == 2
    assert capsys.readouterr().err.count("taken as the list's end") == 1


def test_a_list_without_end_is_left_after_more_pages_than_any_has(
    vendor: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "MOST_PAGES", 5)
    vendor.script[SPLITS] = [page(str(n), next_url=f"{SPLITS}?cursor={n}") for n in range(20)]
    told = pull(vendor, tmp_path)
    assert "still another page after 5" in told.not_had and told.stops
    assert asked(vendor) == 5 and held(tmp_path) == []


@pytest.mark.parametrize("url", [".evil.example/x", "@evil.example/x", "https://evil.example/x", "https://[x", "x"])
def test_a_page_elsewhere_is_not_followed_and_what_came_is_kept(vendor: Vendor, tmp_path: Path, url: str) -> None:
    vendor.script[SPLITS] = [page("A", next_url=url)]
    told = pull(vendor, tmp_path)
    assert list(told.failed) == ["polygon, list stocks/v1/splits/all"] and "not followed" in told.not_had
    assert all(seen.startswith("/") for seen, _ in vendor.seen) and held(tmp_path) == []
    vendor.script[SPLITS] = [page("A")]
    assert pull(vendor, tmp_path).failed == {}
    assert held(tmp_path) == [("A", False)]


@pytest.mark.parametrize("status", [401, 500])
def test_a_refusal_in_the_middle_is_said_and_the_next_run_goes_on_there(
    vendor: Vendor, tmp_path: Path, status: int
) -> None:
    first = page("A", next_url=f"{SPLITS}?cursor=1")
    vendor.script[SPLITS] = [first, (status, {}, b'{"error": "Unknown API Key"}')]
    told = pull(vendor, tmp_path)
    assert re.search(f"{status}.*Unknown API Key", told.not_had)
    assert held(tmp_path) == []  # of half a list nothing counts
    assert asked(vendor, LISTS[2]) == (status == 500)  # with a wrong key nothing more is asked
    before = asked(vendor)
    vendor.script[SPLITS] = [page("B")]
    pull(vendor, tmp_path)
    assert held(tmp_path) == [("A", False), ("B", False)] and asked(vendor) == before + 1
    versions = read_dataset(Home(tmp_path), "splits")["available_at"].to_pylist()
    assert versions == [dt.datetime(2025, 6, 30, 4, tzinfo=dt.UTC)] * 2  # nobody had heard of it before


@pytest.mark.parametrize("second", [(403, {}, b'{"message": "not in your plan"}'), (404, {}, b""),
                                    (200, {}, b"<html>"), (200, {}, b"")])  # fmt: skip
def test_a_page_that_is_not_there_takes_nothing_back(
    vendor: Vendor, tmp_path: Path, second: tuple[int, dict[str, str], bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    vendor.script[SPLITS] = [page("A", next_url=f"{SPLITS}?cursor=1"), page("B")]
    pull(vendor, tmp_path)
    vendor.script[SPLITS] = [page("A", "C", next_url=f"{SPLITS}?cursor=1"), second]
    told = pull(vendor, tmp_path, day=2)
    assert held(tmp_path) == [("A", False), ("B", False), ("C", False)]
    if second[0] == 200:
        assert set(told.quarantined) <= {"not_data", "truncated"} and told.quarantined
    else:
        assert f"page 2 is not there ({second[0]}" in capsys.readouterr().err
