"""Dagster's webserver over a home, as `nightdesk ui` starts it but without the daemon, and questions in its GraphQL."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipelines import ui

UP_WITHIN_S = 180.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(home: Path) -> Iterator[str]:
    """The address of its pages."""
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "dagster_webserver", "-w", str(ui.WORKSPACE), "-h", "127.0.0.1", "-p", str(port)],
        env={**os.environ, "NIGHTDESK_HOME": str(home), "DAGSTER_HOME": str(home / "dagster")},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, server)
        yield address
    finally:
        server.terminate()
        server.wait(30)
        try:
            os.killpg(server.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    begun = time.monotonic()
    while time.monotonic() - begun < UP_WITHIN_S:
        assert server.poll() is None, "the webserver ended by itself"
        try:
            with urllib.request.urlopen(f"{address}/server_info", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the webserver did not come up")


def ask(address: str, query: str) -> Any:
    request = urllib.request.Request(
        f"{address}/graphql", json.dumps({"query": query}).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)["data"]


def stale_assets(address: str) -> dict[str, list[str]]:
    """The assets that the lineage marks as stale, and which input it names as the cause."""
    nodes = ask(address, "{assetNodes {assetKey {path} staleStatus staleCauses {key {path}}}}")["assetNodes"]
    return {"/".join(node["assetKey"]["path"]): sorted({"/".join(one["key"]["path"]) for one in node["staleCauses"]})
            for node in nodes if node["staleStatus"] == "STALE"}


def observed_sessions(address: str, vendor: str, last: int) -> list[str | None]:
    """The newest sessions that a feed's page lists, newest first."""
    query = """{assetOrError(assetKey: {path: ["vendor", "VENDOR"]}) {... on Asset {
        assetObservations(limit: LAST) {partition}}}}""".replace("VENDOR", vendor).replace("LAST", str(last))
    return [one["partition"] for one in ask(address, query)["assetOrError"]["assetObservations"]]
