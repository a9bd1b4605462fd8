"""A real runner process, stopped from outside within a second: by file, by signal, by the API, also while its strategy
hangs in a call into C that never comes back."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from live.journal import Journal
from live.replay import replay
from tests.test_live import world
from tests.test_live.test_running import until

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import ctypes, json, os, sys, threading
import tests.test_live.base_install
from pathlib import Path
from live.adapters.paper import PaperVenue
from live.feeds import started
from live.operating import operate
from live.risk import Limits
folder, bundles, hung = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "hung"
runner = started(bundles, folder / "j.sqlite", f"replay:{folder / 'tape.parquet'}", 60.0,
                 keys=[bytes.fromhex(sys.argv[4])], kill_file=folder / "KILL", limits=Limits(), environment={})
ledger = open(folder / "ledger", "a", buffering=1)

class Noted(PaperVenue):
    def submit(self, order):
        print("sent", order.order_id, int(order.reduce_only), file=ledger)
        return super().submit(order)

    def cancel(self, order_id):
        done = super().cancel(order_id)
        print("cancelled" if done else "gone", order_id, file=ledger)
        return done

runner.venue = Noted(runner.costs)
on_row, acks = runner.now.on_row, []
def hang(entry):
    on_row(entry)
    acks.append(entry.kind == "ack")
    if hung and sum(acks) == 2:
        print("hung", file=ledger)
        ctypes.CDLL(None).sleep(600)  # inside C, where Python's own signal handlers never get to run
    if hung is False and sum(acks) == 7:
        print("waiting", file=ledger)
runner.now.on_row = hang
operate(runner, environment={}, serve=True, port=0)
"""


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return world.publish(tmp_path_factory.mktemp("bundles"))


class Outside:
    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self.process, self.folder = process, folder
        assert process.stdout is not None
        where = process.stdout.readline().split()[2]
        self.port, self.token = where.removeprefix("http://127.0.0.1:").split("/#")

    @property
    def lines(self) -> list[list[str]]:
        return [line.split() for line in (self.folder / "ledger").read_text().splitlines()]

    def open_orders(self) -> set[str]:
        gone = {line[1] for line in self.lines if line[0] in ("cancelled", "gone")}
        return {line[1] for line in self.lines if line[0] == "sent"} - gone

    def throw(self, way: str) -> None:
        if way == "file":
            (self.folder / "KILL").write_text("halt by hand\n")
        elif way == "signal":
            self.process.send_signal(signal.SIGUSR1)
        else:
            connection = HTTPConnection("127.0.0.1", int(self.port), timeout=10)
            connection.request("POST", "/kill", json.dumps({"mode": "halt"}), {
                "Authorization": f"Bearer {self.token}", "Content-Type": "application/json"})
            assert connection.getresponse().status == 200
            connection.close()


@contextmanager
def outside(folder: Path, bundles: Path, *, hung: bool) -> Iterator[Outside]:
    world.tape(folder / "tape.parquet", 0, 1)
    (folder / "ledger").touch()
    words = [sys.executable, "-c", SCRIPT, str(folder), str(bundles), "hung" if hung else "free", world.PUBLIC.hex()]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            yield Outside(process, folder)
        finally:
            process.kill()


@pytest.mark.parametrize(("way", "hung"), [
    ("signal", True), *(pytest.param(*told, marks=pytest.mark.slow) for told in (
        ("file", True), ("API", True), ("signal", False), ("API", False)))])
def test_a_process_is_stopped_within_a_second_and_stays_so(
    bundles: Path, tmp_path: Path, way: str, hung: bool
) -> None:
    with outside(tmp_path, bundles, hung=hung) as runner:
        until(lambda: ["hung" if hung else "waiting"] in runner.lines, 60.0)
        sent = len([line for line in runner.lines if line[0] == "sent"])
        assert sent == (2 if hung else 7) == len(runner.open_orders())
        began = time.monotonic()
        runner.throw(way)
        until(lambda: not runner.open_orders(), 5.0)
        assert time.monotonic() - began < 1.0
        assert len([line for line in runner.lines if line[0] == "sent"]) == sent
        assert (tmp_path / "KILL").read_text().startswith("halt")
    replay(bundles, tmp_path / "tape.parquet", tmp_path / "j.sqlite", verify_keys=[world.PUBLIC],
           kill_file=tmp_path / "KILL")
    with Journal(tmp_path / "j.sqlite", read_only=True) as book:
        assert not list(book.entries("intent"))
        assert [row.payload["state"] for row in book.entries("state")] == ["HALTED"]
