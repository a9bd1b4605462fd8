"""A failed night is told once: in the home, and to a webhook that may itself be ill."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from pipelines import alerts, settings
from pipelines.home import Home
from pipelines.settings import Settings
from tests import OWN


def chosen(home: Home, webhook: str = "") -> Settings:
    return settings.load({"home": str(home.root), "alerts": {"webhook": webhook}}, environment=OWN)


def lines(home: Home) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (home.root / alerts.FILE).read_text().splitlines()]


@pytest.mark.parametrize("status", [200, 500])
def test_a_run_is_told_once_whoever_notices_it(
    status: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home, heard = Home(tmp_path).prepare(), []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        settings_ = chosen(home, f"http://127.0.0.1:{server.server_address[1]}/hook")
        assert alerts.night_failed(home, settings_, "run-1", "check bars_are_plausible failed")
        assert not alerts.night_failed(home, settings_, "run-1", "noticed again by the daemon")
        assert alerts.night_failed(home, settings_, "run-2", "another")
        server.shutdown()
        thread.join()
    assert [one["run_id"] for one in heard] == ["run-1", "run-2"] == [one["run_id"] for one in lines(home)]
    assert "check bars_are_plausible failed" in heard[0]["text"]
    assert ("answered 500" in capsys.readouterr().err) == (status == 500)


def test_what_a_night_went_without_is_told_once_and_hides_no_failure(tmp_path: Path) -> None:
    home = Home(tmp_path).prepare()
    for _ in range(2):
        alerts.not_had(home, chosen(home), "run-1", "cme, futures trades: Not licensed")
    assert alerts.night_failed(home, chosen(home), "run-1", "check bars_are_plausible failed")
    assert [one["kind"] for one in lines(home)] == ["not_had", "night_failed"]


def test_nobody_at_the_address_is_said_and_the_line_stands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path).prepare()
    (home.root / alerts.FILE).write_text('{"run_id": "torn')
    with open(home.root / alerts.FILE, "a") as torn:
        torn.write("\n")
    assert alerts.night_failed(home, chosen(home, "http://127.0.0.1:9/secret"), "run-1", "x" * 5000)
    said = capsys.readouterr().err
    assert "did not take it" in said and "secret" not in said
    last = (home.root / alerts.FILE).read_text().splitlines()[-1]
    assert len(json.loads(last)["text"]) == 2000
