"""What the account shows, to whom, and that its kill switch works and sticks: over real sockets."""

import json
import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from live.api import Account
from live.clock import SystemClock
from live.gatekeeper import Bucket
from live.journal import Journal
from live.page import html
from live.replay import replay
from live.risk import Limits
from live.serving import served, token_in
from live.view import View
from models.market.costs import CostModel
from tests.test_live import world

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "t" * 43
PATHS = ("/status", "/positions", "/pnl", "/decisions", "/limits", "/bundle", "/metrics", "/openapi.json")


@dataclass
class Desk:
    port: int
    folder: Path
    bundles: Path

    def ask(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> HTTPResponse:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path, body, {
            "Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        answer.text = answer.read().decode()  # type: ignore[attr-defined]
        connection.close()
        return answer

    def json(self, path: str) -> Any:
        answer = self.ask(path)
        assert answer.status == 200, answer.text  # type: ignore[attr-defined]
        return json.loads(answer.text)  # type: ignore[attr-defined]


def account(folder: Path, bundles: Path | None = None) -> Account:
    view = View(folder / "j.sqlite", folder / "KILL", Limits(), CostModel.default().capital_usd)
    return Account(view, bundles, (world.PUBLIC,), SystemClock().now)


def traded(folder: Path) -> Path:
    bundles = world.publish(folder / "bundles")
    replay(bundles, world.tape(folder / "tape.parquet", 0, 2), folder / "j.sqlite", verify_keys=[world.PUBLIC])
    return bundles


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("desk")
    bundles = traded(folder)
    with served(account(folder, bundles), TOKEN, rate=1e6, burst=1e6, headers_s=0.4) as port:
        yield Desk(port, folder, bundles)


def test_documents_say_what_the_journal_says(desk: Desk) -> None:
    with Journal(desk.folder / "j.sqlite") as book:
        closes = [entry.payload for entry in book.entries("close")]
        decision = book.last("decision")
    assert decision is not None
    status, pnl, decisions = desk.json("/status"), desk.json("/pnl"), desk.json("/decisions?count=2")
    assert (status["state"], status["equity"], status["fills"]) == ("ACTIVE", closes[-1]["equity"], closes[-1]["fills"])
    assert [row["pnl"] for row in pnl["sessions"]] == [row["pnl"] for row in closes]
    assert {row["instrument_id"]: row["shares"] for row in desk.json("/positions")} == {
        name: held[0] for name, held in closes[-1]["book"]["holdings"].items()}
    assert [one["session"] for one in decisions] == [day.isoformat() for day in reversed(world.world().coming[:2])]
    assert [row["rank"] for row in decisions[0]["names"]] == [1, 2, 3, 4, 5, 6, 7]
    assert any(row["outcome"].startswith(("bought", "sold")) for row in decisions[0]["names"])
    gross = next(row for row in desk.json("/limits") if row["limit"] == "gross exposure")
    assert 0 < gross["used"] < 1 and gross["threshold"] == Limits().max_gross
    assert desk.json("/bundle")["seq"] == 1
    explained = desk.json(f"/passport/{decision.payload['decision_id']}")
    assert explained["recomputed_equal"] and len(explained["names"]) == 7


def test_a_passport_of_a_journal_that_cannot_be_walked_is_a_plain_word(tmp_path: Path) -> None:
    bundles = traded(tmp_path)
    db = sqlite3.connect(tmp_path / "j.sqlite", isolation_level=None)
    (payload,) = db.execute("SELECT payload FROM entries WHERE kind = 'decision'").fetchone()
    with served(account(tmp_path, bundles), TOKEN, rate=1e6, burst=1e6) as port:
        there, id = Desk(port, tmp_path, bundles), json.loads(payload)["decision_id"]
        assert there.ask(f"/passport/{id}").status == 200
        db.execute("DROP TRIGGER entries_stand")
        db.execute("UPDATE entries SET at = '' WHERE seq = 2")
        db.close()
        answer = there.ask(f"/passport/{id}")
    assert (answer.status, answer.text) == (503, '{"detail":"the journal cannot be read just now"}')  # type: ignore[attr-defined]


def test_metrics_are_prometheus_text_with_the_journals_numbers(desk: Desk) -> None:
    text = desk.ask("/metrics").text  # type: ignore[attr-defined]
    told = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    status = desk.json("/status")
    assert float(told["nightdesk_equity_usd"]) == pytest.approx(status["equity"])
    assert (told['nightdesk_state{state="ACTIVE"}'], told['nightdesk_state{state="HALTED"}']) == ("1.0", "0.0")
    assert float(told["nightdesk_fills_total"]) == sum(row["fills"] for row in desk.json("/pnl")["sessions"])


@pytest.mark.parametrize("path", [*PATHS, "/passport/x", "/kill", "/nowhere", "/../../etc/passwd"])
@pytest.mark.parametrize("given_token", [
    "", "Bearer ", "Bearer " + "u" * 43, f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer é"])
def test_nothing_is_told_or_done_without_the_token(desk: Desk, path: str, given_token: str) -> None:
    answer = desk.ask(path, "POST" if path == "/kill" else "GET", b'{"mode":"halt"}', Authorization=given_token)
    assert answer.status == 401 and not (desk.folder / "KILL").exists()
    assert TOKEN not in answer.text  # type: ignore[attr-defined]


@pytest.mark.parametrize("headers", [
    {"Host": "evil.example"}, {"Host": "evil.example:8765"}, {"Host": ""}, {"Host": "127.0.0.1.evil.example"},
    {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "https://127.0.0.1"},
    {"Origin": "http://127.0.0.1:1"},
])
@pytest.mark.parametrize("path", ["/", "/status"])
def test_a_foreign_host_or_origin_is_turned_away(desk: Desk, headers: dict[str, str], path: str) -> None:
    assert desk.ask(path, **headers).status == 403


def test_its_own_names_and_origin_are_answered(desk: Desk) -> None:
    for host in (f"127.0.0.1:{desk.port}", f"LOCALHOST:{desk.port}", f"[::1]:{desk.port}"):
        assert desk.ask("/status", Host=host, Origin=f"http://{host}").status == 200


def test_long_bodies_are_refused_told_or_chunked(desk: Desk) -> None:
    assert desk.ask("/kill", "POST", b"x" * 5_000).status == 413
    assert desk.ask("/status", "GET", None, **{"Content-Length": "9" * 12}).status == 413
    with socket.create_connection(("127.0.0.1", desk.port), timeout=10) as raw:
        raw.sendall(f"POST /kill HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
                    "Transfer-Encoding: chunked\r\n\r\n".encode() + b"1000\r\n" + b"x" * 4096 + b"\r\n10\r\n")
        raw.sendall(b"x" * 16 + b"\r\n")
        assert raw.recv(4096).startswith(b"HTTP/1.1 413")


def test_a_client_that_dawdles_over_its_headers_is_sent_away(desk: Desk) -> None:
    with socket.create_connection(("127.0.0.1", desk.port), timeout=10) as raw:
        raw.sendall(b"GET /status HTTP/1.1\r\nHost: local")
        began = time.monotonic()
        assert raw.recv(100) == b"" and time.monotonic() - began < 5.0


def test_a_flood_is_slowed_but_never_the_kill_switch(tmp_path: Path) -> None:
    with served(account(tmp_path), TOKEN, rate=0.0, burst=3.0) as port:
        desk = Desk(port, tmp_path, tmp_path)
        assert [desk.ask("/status", Authorization="").status for _ in range(2)] == [401, 401]  # guesses count too
        assert [desk.ask("/status").status for _ in range(3)] == [200, 429, 429]
        assert desk.ask("/kill", "POST", b'{"mode":"halt"}', Authorization="").status == 429
        assert desk.ask("/kill", "POST", b'{"mode":"halt"}').status == 200


def test_tokens_come_back_with_time() -> None:
    now = [0.0]
    bucket = Bucket(2.0, 4.0, lambda: now[0])
    assert [bucket.take() for _ in range(5)] == [True] * 4 + [False]
    now[0] += 1.0
    assert [bucket.take() for _ in range(3)] == [True, True, False]


text = st.text(max_size=30)
anything = st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | text,
                        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
                        max_leaves=5)
bodies = st.one_of(st.binary(max_size=200), anything.map(lambda made: json.dumps(made).encode()), st.fixed_dictionaries(
    {"mode": anything}, optional={"reason": anything, "odd": anything}).map(lambda made: json.dumps(made).encode()))
segments = st.sampled_from(["passport", "status", "decisions", "kill", "..", "%00", "%2e%2e", "o-" + "0" * 20, "*", ""])
queries = st.sampled_from(["", "?count=0", "?count=nan", "?count=1e9", "?count[]=%ff", "?&="])


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "BREW"]),
       st.lists(segments, max_size=3), queries, bodies)
def test_no_odd_input_is_an_error_of_ours(
    odd: Desk, method: str, parts: list[str], query: str, body: bytes
) -> None:
    path = "/" + "/".join(parts) + query
    answer = odd.ask(path, method, body)
    assert answer.status < 500, (method, path, body, answer.text)  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk whose switch may be thrown by chance."""
    folder = tmp_path_factory.mktemp("odd")
    with served(account(folder), TOKEN, rate=1e6, burst=1e6) as port:
        yield Desk(port, folder, folder)


@pytest.mark.parametrize("mode", ["halt", "flatten"])
def test_the_kill_button_stops_the_account_over_restarts_until_a_logged_reset(tmp_path: Path, mode: str) -> None:
    bundles = traded(tmp_path)
    with served(account(tmp_path), TOKEN) as port:
        desk = Desk(port, tmp_path, tmp_path)
        order = json.dumps({"mode": mode, "reason": "drill \u202e\n#1"}).encode()
        told = json.loads(desk.ask("/kill", "POST", order).text)  # type: ignore[attr-defined]
        assert told == {"thrown": True, "mode": mode, "journaled": True, "file": "KILL"}
        status = desk.json("/status")
        assert status["kill"] == {"thrown": True, "mode": mode}
        assert status["state"] == ("HALTED" if mode == "halt" else "REDUCING")
        assert (tmp_path / "KILL").read_text() == f"{mode} API: drill #1\n"
    report = replay(bundles, world.tape(tmp_path / "next.parquet", 2, 2), tmp_path / "j.sqlite",
                    verify_keys=[world.PUBLIC], kill_file=tmp_path / "KILL")
    with Journal(tmp_path / "j.sqlite") as book:
        sent = [entry.payload for day in world.world().coming[2:4] for entry in book.entries("intent", day)]
        assert all(row.get("reduce_only") for row in sent) and bool(sent) == (mode == "flatten")
    assert report.sessions[0].state in ("HALTED", "REDUCING")
    command = [sys.executable, "-m", "live", "--journal", str(tmp_path / "j.sqlite"), "--reset", "over",
               "--kill-file", str(tmp_path / "KILL")]
    assert subprocess.run(command, cwd=ROOT, capture_output=True).returncode == 2
    (tmp_path / "KILL").unlink()
    assert subprocess.run(command, cwd=ROOT, capture_output=True).returncode == 0


def test_a_running_engine_is_told_by_file_alone(tmp_path: Path) -> None:
    traded(tmp_path)
    with Journal(tmp_path / "j.sqlite") as running, served(account(tmp_path), TOKEN) as port:
        rows = running.head()[0]
        told = json.loads(Desk(port, tmp_path, tmp_path).ask("/kill", "POST", b'{"mode":"halt"}').text)  # type: ignore[attr-defined]
        assert (told["journaled"], running.head()[0], (tmp_path / "KILL").exists()) == (False, rows, True)


def test_the_token_is_made_once_and_kept_private(tmp_path: Path) -> None:
    file = tmp_path / "api.token"
    token = token_in(file)
    assert len(token) >= 43 and token_in(file) == token and stat.S_IMODE(file.stat().st_mode) == 0o600
    os.chmod(file, 0o644)
    with pytest.raises(PermissionError, match="chmod 600"):
        token_in(file)


def test_the_page_reaches_for_nothing_outside_and_may_run_only_itself(desk: Desk) -> None:
    answer = desk.ask("/", Authorization="")
    assert answer.status == 200 and answer.text == html()  # type: ignore[attr-defined]
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and policy.count("'sha256-") == 2
    assert "http" not in html().replace("http://www.w3.org/2000/svg", "") and "style=" not in html()


def test_serving_from_the_command_line_says_where_and_needs_no_heavy_library(tmp_path: Path) -> None:
    script = ("import tests.test_live.base_install, sys\n"
              "from live.__main__ import app\n"
              "app(sys.argv[1:], standalone_mode=False)\n"
              "heavy = {'pandas', 'dagster', 'torch', 'httpx', 'duckdb', 'pipelines'} & set(sys.modules)\n"
              "print('heavy', sorted(heavy))\n")
    words = ["serve", "--journal", str(tmp_path / "j.sqlite"), "--kill-file", str(tmp_path / "KILL"), "--port", "0"]
    with subprocess.Popen([sys.executable, "-c", script, *words], cwd=ROOT, text=True, stdout=subprocess.PIPE) as page:
        assert page.stdout is not None
        where = page.stdout.readline().split()[2]
        port, token = where.removeprefix("http://127.0.0.1:").split("/#")
        connection = HTTPConnection("127.0.0.1", int(port), timeout=30)
        connection.request("GET", "/status", headers={"Authorization": f"Bearer {token}"})
        assert connection.getresponse().status == 200
        connection.close()
        page.send_signal(signal.SIGINT)
        assert page.stdout.read().endswith("heavy []\n")
    assert page.returncode == 0
