"""The HTTP transport against a real server on loopback: retries, conditions, pages, and keys that never leak."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from pipelines.vendors.http import Ask, ForeignHost, Hosts, HttpTransport, VendorError
from tests.test_pipelines.scripted_vendor import Vendor, scripted

KEY = "sk-very-secret-0123456789"


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with scripted() as state:
        yield state


def transport(vendor: Vendor, **more: Any) -> HttpTransport:
    hosts = Hosts(vendor.address, vendor.address, vendor.address, KEY, KEY)
    return HttpTransport(hosts, first_wait_s=0.001, quota_wait_s=0.001, **more)


def ask(target: str = "/x", **more: Any) -> Ask:
    return Ask(more.pop("vendor", "polygon"), "polygon/x.json", target, **more)


OK = (200, {"ETag": '"one"'}, b"{}")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_vendor_is_asked_again(vendor: Vendor, status: int) -> None:
    vendor.script["/x"] = [(status, {}, b"busy"), (status, {"Retry-After": "0"}, b"busy"), OK]
    with transport(vendor) as http:
        assert http.ask(ask()).body == b"{}"
    assert len(vendor.seen) == 3


@pytest.mark.parametrize("status", [400, 401])
def test_a_refusal_is_final_and_quotes_the_vendor_without_the_key(vendor: Vendor, status: int) -> None:
    said = json.dumps({"status": "ERROR", "error": f"Unknown API Key {KEY}"}).encode()
    vendor.script["/x"] = [(status, {}, said)]
    with transport(vendor) as http, pytest.raises(VendorError) as caught:
        http.ask(ask())
    assert len(vendor.seen) == 1
    assert "Unknown API Key" in str(caught.value) and KEY not in str(caught.value)


def test_a_vendor_that_stays_down_is_named_with_what_to_do(vendor: Vendor, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    vendor.script["/x"] = [(503, {}, b"down " + KEY.encode())]
    with transport(vendor, attempts=3) as http, pytest.raises(VendorError, match="503.*run again") as caught:
        http.ask(ask())
    assert len(vendor.seen) == 3
    assert KEY not in str(caught.value) + repr(http.hosts) + caplog.text
    assert all(KEY not in path for path, _ in vendor.seen)


def test_an_unreachable_vendor_is_said_plainly() -> None:
    gone = Hosts("http://127.0.0.1:9", "", "", KEY, KEY)
    with HttpTransport(gone, attempts=2, first_wait_s=0.001) as http, pytest.raises(VendorError, match="be reached"):
        http.ask(ask())


def test_what_is_not_there_is_no_error(vendor: Vendor) -> None:
    vendor.script["/x"] = [(403, {}, b"<Error><Code>AccessDenied</Code></Error>")]
    with transport(vendor) as http:
        answer = http.ask(ask(vendor="cboe"))
    assert (answer.body, answer.same) == (None, False)


def test_an_unchanged_body_is_not_sent_again(vendor: Vendor) -> None:
    vendor.script["/x"] = [OK]
    with transport(vendor) as http:
        first = http.ask(ask())
        again = http.ask(ask(etag=first.etag))
    assert (again.body, again.same, again.etag) == (None, True, '"one"')


def test_questions_run_side_by_side_and_answers_keep_their_order(vendor: Vendor) -> None:
    for number in range(40):
        vendor.script[f"/{number}"] = [(200, {}, str(number).encode())]
    with transport(vendor, workers=4) as http:
        answers = list(http.ask_all(ask(f"/{number}") for number in range(40)))
    assert [answer.body for answer in answers] == [str(number).encode() for number in range(40)]
    assert vendor.connections <= 4


@pytest.mark.parametrize("host", ["https://api.polygon.io", "https://api.massive.com", ""])
def test_both_brands_next_pages_are_followed_on_our_own_host_without_a_key(vendor: Vendor, host: str) -> None:
    with transport(vendor) as http:
        target = http.next_target(f"{host}/v3/reference/tickers?cursor=abc%3D&apiKey={KEY}")
    assert target == "/v3/reference/tickers?cursor=abc%3D"


@pytest.mark.parametrize("url", ["https://evil.example/v3?cursor=a", "https://api.polygon.io.evil.example/v3", "//x/y"])
def test_a_foreign_next_page_is_refused(vendor: Vendor, url: str) -> None:
    with transport(vendor) as http, pytest.raises(ForeignHost):
        http.next_target(url)


def test_keys_travel_in_headers(vendor: Vendor) -> None:
    vendor.script["/x"] = [OK]
    with transport(vendor) as http:
        http.ask(ask())
        http.ask(ask(vendor="cboe"))
        http.ask(ask(vendor="cme", form=(("dataset", "GLBX.MDP3"),)))
    polygon, cboe, cme = (headers for _, headers in vendor.seen)
    assert polygon["Authorization"] == f"Bearer {KEY}"
    assert "Authorization" not in cboe
    assert cme["Authorization"].startswith("Basic ")
