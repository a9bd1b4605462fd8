"""Servers that mean harm or are broken, over real connections: bounded in bytes and time, told plainly, no key lost."""

import gzip
import socket
import threading
import time
import zlib
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from pipelines.lake import forecast
from pipelines.vendors import replies
from pipelines.vendors.http import ForeignHost, VendorError
from tests.test_pipelines.asked_of import KEY, ask, refused, transport
from tests.test_pipelines.scripted_vendor import Vendor, scripted
from tests.test_pipelines.spoken import Say, spoken

OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with scripted() as state:
        yield state


@pytest.mark.parametrize(
    "url",
    [
        # Put behind the vendor's address, these would be another host's name.
        ".evil.example/v3?cursor=a", "@evil.example/v3", ":80@evil.example/", "-evil.example/", "v3/reference",
        "https:evil.example/v3", "https://api.polygon.io@evil.example/v3", "https://evil@api.polygon.io/v3",
        "https://api.polygon.io.evil.example/v3", "https://104.18.0.1/v3", "https://[::1]/v3", "https://[half/v3",
        "https://api.polygon.io\\@evil.example/v3", "https://api.polygon.io:8443/v3", "//evil.example/v3",
        "ftp://api.polygon.io/v3", "javascript:alert(1)", "file:///etc/passwd", "https://xn--pi-tja.polygon.io/v3",
    ],
)  # fmt: skip
def test_no_next_page_leads_to_another_host(url: str) -> None:
    with transport("https://api.polygon.io") as http, pytest.raises(ForeignHost, match="not followed"):
        http.next_target(url)


@pytest.mark.parametrize("url", ["https://api.massive.com/v3/x?cursor=a", "HTTPS://API.POLYGON.IO/v3/x?cursor=a"])
def test_the_vendors_own_pages_are_asked_on_our_own_address(url: str) -> None:
    with transport("http://127.0.0.1:9") as http:
        assert http.next_target(url) == "/v3/x?cursor=a"


def test_a_key_under_any_name_is_no_part_of_the_next_question() -> None:
    with transport("http://127.0.0.1:9") as http:
        told = http.next_target(f"/v3/x?cursor=a&as=&apiKEY=1&token={quote(KEY, safe='')}")
    assert told == "/v3/x?cursor=a&as="


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(vendor: Vendor, status: int) -> None:
    with scripted() as elsewhere:
        vendor.script["/x"] = [(status, {"Location": f"{elsewhere.address}/x?apiKey={quote(KEY)}"}, b"moved")]
        assert str(status) in refused(vendor.address)
        assert elsewhere.seen == []


def drip(head: bytes) -> Say:
    """These bytes, then one more now and then for as long as somebody listens."""

    def say(line: socket.socket, over: threading.Event) -> None:
        line.sendall(head)
        while not over.wait(0.02):
            line.sendall(b"x")

    return say


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nX-Slow: ", OK + b"Content-Length: 9999\r\n\r\n{"],
                         ids=["no answer", "head", "body"])  # fmt: skip
def test_a_byte_now_and_then_does_not_hold_the_night(head: bytes) -> None:
    with spoken(drip(head)) as address:
        begun = time.monotonic()
        assert "cannot be reached" in refused(address, attempts=1, timeout_s=0.2)
        assert time.monotonic() - begun < 2


def test_who_sends_steadily_may_take_his_time() -> None:
    def say(line: socket.socket, over: threading.Event) -> None:
        line.sendall(OK + b"Content-Length: 49152\r\n\r\n[")
        for part in (49_150 // 10 * b" ",) * 10:  # half a second's patience; at 16 kB a second this earns three
            over.wait(0.06)
            line.sendall(part)
        line.sendall(b"]")

    with spoken(say) as address, transport(address, attempts=1, timeout_s=0.4) as http:
        begun = time.monotonic()
        assert len(http.ask(ask()).body or b"") == 49_152
        assert time.monotonic() - begun > 0.5


def said(*parts: bytes) -> Say:
    def say(line: socket.socket, over: threading.Event) -> None:
        for part in parts:
            line.sendall(part)
        line.shutdown(socket.SHUT_RDWR)

    return say


@pytest.mark.parametrize(
    "told",
    [
        OK + b"Content-Length: 100\r\n\r\n{}",
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\n[1, 2\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n[]",
        OK + b"Content-Encoding: gzip\r\nContent-Length: 12\r\n\r\n" + gzip.compress(b"[]", mtime=0)[:12],
        OK + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n[]",
        OK + b"Content-Length: -1\r\n\r\n[]",
        OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n[]",
        b"\x16\x03\x01", b"", b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 200_000,
    ],
    ids=["short", "chunk cut", "no chunk", "gzip cut", "no gzip", "negative", "two lengths", "no HTTP", "none", "long"],
)  # fmt: skip
def test_half_an_answer_is_none(told: bytes) -> None:
    with spoken(said(told)) as address:
        told_plainly = refused(address)
    assert "cannot be reached" in told_plainly


def test_of_a_broken_connection_the_next_one_is_asked() -> None:
    answers = [OK + b"Content-Length: 100\r\n\r\n{}", OK + b"Content-Length: 2\r\n\r\n{}"]
    with spoken(lambda line, over: said(answers.pop(0))(line, over)) as address, transport(address) as http:
        assert http.ask(ask()).body == b"{}"


def test_a_body_that_stays_unsound_to_the_last_attempt_is_handed_on(vendor: Vendor) -> None:
    vendor.script["/x"] = [(503, {}, b"busy"), (200, {}, b"<html>")]
    with transport(vendor.address, attempts=2) as http:
        assert http.ask(ask()).body == b"<html>"


@pytest.mark.parametrize("path", ["polygon/x.json", "cboe/indices/VIX_History.csv", "cboe/daily/x_daily_options"])
def test_an_empty_body_is_asked_for_again(vendor: Vendor, path: str) -> None:
    vendor.script["/x"] = [(200, {}, b""), (200, {}, b" \n"), (200, {}, b"{}")]
    with transport(vendor.address, attempts=4) as http:
        assert http.ask(ask(path)).body == b"{}"


def test_the_doctor_hears_a_vendor_whose_clock_says_nothing(vendor: Vendor) -> None:
    from pipelines.doctor_vendors import _asked

    vendor.script["/v1/marketstatus/now"] = [(200, {}, b"{}")]
    vendor.script["/v0/metadata.list_datasets"] = [(200, {}, b"[]")]
    for date in ("soon", "", "Wed, 99 Foo 99999", "Wed, 21 Oct 2015 07:28:00"):
        for answers in vendor.script.values():
            answers[0] = (200, {"Date": date}, answers[0][2])
        environment = {"POLYGON_API_KEY": KEY, "DATABENTO_API_KEY": KEY, "POLYGON_BASE_URL": vendor.address,
                       "DATABENTO_BASE_URL": vendor.address}  # fmt: skip
        states = {finding.name: finding.state for finding in _asked(environment, ["polygon", "cme"])}
        assert states["entitlement polygon"] == "ok" and states["entitlement cme"] == "ok"


def packed(how: str, body: bytes, *, kind: str = "200 OK") -> bytes:
    head = f"HTTP/1.1 {kind}\r\nContent-Encoding: {how}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


BOMB = gzip.compress(b"[" + b" " * (8 << 20) + b"]", mtime=0)


def test_a_body_that_swells_beyond_all_bodies_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replies, "MOST_JSON_BYTES", 1 << 20)
    with spoken(said(packed("gzip", BOMB))) as address:
        assert "more than 1 MB" in refused(address)


@pytest.mark.parametrize("how", ["br", "zstd", "gzip, gzip", "compress", "x" * 500])
def test_a_packing_that_nobody_asked_for_is_refused_unread(how: str) -> None:
    with spoken(said(packed(how, BOMB))) as address:
        told = refused(address)
    assert "was not asked for" in told and len(told) < 300


RAW = zlib.compressobj(wbits=-15)


@pytest.mark.parametrize(
    ("how", "body"),
    [("gzip", gzip.compress(b"[1]")), ("deflate", zlib.compress(b"[1]")), ("x-gzip", gzip.compress(b"[1]")),
     ("gzip", gzip.compress(b"[") + gzip.compress(b"1]")), ("deflate", RAW.compress(b"[1]") + RAW.flush()),
     ("identity", b"[1]")],
    ids=["gzip", "zlib", "x-gzip", "two members", "bare deflate", "identity"],
)  # fmt: skip
def test_what_was_asked_for_is_unpacked(how: str, body: bytes) -> None:
    with spoken(said(packed(how, body))) as address, transport(address) as http:
        assert http.ask(ask()).body == b"[1]"


def test_the_words_of_a_refusal_are_short_printable_and_one_line(vendor: Vendor) -> None:
    coloured = b"\x1b[31mred\r\nnight: all is well\x00"
    for words in (b"[" * 200_000, coloured, "é".encode("utf-16"), b"", b"x" * 1_000_000):
        vendor.script["/x"] = [(400, {}, words)]
        told = refused(vendor.address)
        assert "answered 400" in told and told.isprintable() and len(told) < 400
    with spoken(said(packed("gzip", BOMB, kind="400 Bad"))) as address:
        assert "answered 400" in refused(address)


@pytest.mark.parametrize(
    "told", ["1000000000", "-5", "0", "\xb2", "9" * 5000, "soon", "Wed, 21 Oct 2015 07:28:00 GMT", "nan", "1e3",
             "Wed, 99 Foo 99999 99:99:99 GMT"],
)  # fmt: skip
def test_whatever_retry_after_says_it_is_a_short_wait_or_none(told: str) -> None:
    import httpx

    headers = httpx.Headers([(b"Retry-After", told.encode("latin-1"))])
    wait_s = replies.Reply(429, headers, b"").told_wait_s()
    assert wait_s is None or 0 <= wait_s <= replies.LONGEST_WAIT_S
    assert (wait_s is None) == (told not in ("1000000000", "0", "Wed, 21 Oct 2015 07:28:00 GMT"))


def test_a_date_to_come_back_at_is_read_on_the_vendors_own_clock() -> None:
    import httpx

    headers = {"Retry-After": "Wed, 21 Oct 2015 07:28:20 GMT", "Date": "Wed, 21 Oct 2015 07:28:00 GMT"}
    assert replies.Reply(429, httpx.Headers(headers), b"").told_wait_s() == 20


def test_nothing_is_unchanged_where_nothing_was_held() -> None:
    with spoken(said(b"HTTP/1.1 304 Not Modified\r\n\r\n")) as address:
        assert "answered 304" in refused(address)
        with transport(address) as http:
            assert http.ask(ask(etag='"one"')).same


def test_a_tag_that_could_not_be_sent_back_is_none(vendor: Vendor) -> None:
    for tag in ("caf\xe9", "x" * 5000, ""):
        vendor.script["/x"] = [(200, {"ETag": tag}, b"{}")]
        with transport(vendor.address) as http:
            assert http.ask(ask()).etag is None


@pytest.mark.parametrize("price", [b"NaN", b"-1", b"inf", b"", b"<html>", b"null"])
def test_what_is_no_price_is_no_permission_to_buy(vendor: Vendor, price: bytes) -> None:
    vendor.script[forecast.COST_TARGET] = [(200, {}, price)]
    charged = ask("cme/dbn/x.dbn.zst", vendor="cme", form=(("schema", "trades"),))
    with transport(vendor.address) as http, pytest.raises(VendorError, match="no price"):
        forecast.refuse_beyond(forecast.cost_usd([charged], http), 5.0)


@pytest.mark.parametrize("address", ["http://no-such-host.invalid", "http://127.0.0.1:9", "https://[half", "nonsense",
                                     "http://127.0.0.1:99999", "gopher://x"])  # fmt: skip
def test_an_address_that_leads_nowhere_is_said_in_one_line(address: str) -> None:
    assert "cannot be reached" in refused(address)


def test_a_server_that_speaks_no_tls_is_said_in_one_line(vendor: Vendor) -> None:
    assert "cannot be reached" in refused(vendor.address.replace("http://", "https://"))
