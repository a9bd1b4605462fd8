"""A desk's keys against vendors that repeat them and libraries that quote them: in no body, tag, error or log."""

import base64
import json
import logging
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from pipelines.vendors.hosts import Hosts
from tests.test_pipelines.asked_of import KEY, ask, refused, transport
from tests.test_pipelines.scripted_vendor import Vendor, scripted


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with scripted() as state:
        yield state


@pytest.mark.parametrize("key", ["sk-very-secret\n0123456789", "sk-very-s\xe9cret", "sk-very-secret\0", "sk-very\x7f",
                                 "sk-very-\udcffsecret"])  # fmt: skip
def test_a_key_that_no_header_can_carry_is_not_quoted(
    vendor: Vendor, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for one in (ask(), ask("datasets", vendor="cme")):
        told = refused(vendor.address, one, key=key)
        assert "copy it into the environment again" in told
        for part in (key[:7], "secret"):
            assert part not in told + caplog.text
    assert vendor.seen == []


def test_a_line_end_behind_a_key_is_no_part_of_it() -> None:
    assert Hosts.from_environment({"POLYGON_API_KEY": " sk-1\r\n"}).polygon_key == "sk-1"


def spelled(key: str) -> list[str]:
    """A key as a vendor, a proxy or a library may write it."""
    encoded = base64.b64encode(key.encode()).decode()
    return [key, quote(key), quote(key, safe=""), quote(key, safe="").lower(), encoded, encoded.rstrip("="),
            base64.b64encode(f"{key}:".encode()).decode(), json.dumps(key)[1:-1]]  # fmt: skip


def test_a_key_that_the_vendor_repeats_stays_in_no_body_and_no_tag(vendor: Vendor) -> None:
    told = {str(n): f"https://api.polygon.io/v3/x?apiKey={one}&cursor=a" for n, one in enumerate(spelled(KEY))}
    tag = '"' + base64.b64encode(KEY.encode()).decode() + '"'
    vendor.script["/x"] = [(200, {"ETag": tag}, json.dumps(told).encode())]
    with transport(vendor.address) as http:
        answer = http.ask(ask())
    assert set(json.loads(answer.body or b"")) == set(told) and answer.etag is None
    for one in spelled(KEY):
        assert one.encode() not in (answer.body or b"")


def test_every_spelling_of_a_key_is_taken_out_of_words() -> None:
    hosts = Hosts("http://a", "", "", KEY, "db-\"odd\"\n", flatfiles_secret="s3+/secret==")
    spellings = [KEY, quote(KEY), quote(KEY, safe=""), base64.b64encode(KEY.encode()).decode(),
                 base64.b64encode(f"{KEY}:".encode()).decode(), json.dumps("db-\"odd\"\n")[1:-1], "s3+/secret==",
                 repr("db-\"odd\"\n")[1:-1], "s3%2B%2Fsecret%3D%3D", "s3%2b%2fsecret%3d%3d"]  # fmt: skip
    assert hosts.clean(" ".join(spellings)) == " ".join("…" * len(spellings))
