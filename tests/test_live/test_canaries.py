"""Secrets of environment and settings are in nothing that the runner writes, says, serves or leaves when it crashes."""

import json
import os
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path

import pytest

from live.alert_settings import DISCORD, PASSWORD, WEBHOOK
from tests.test_live import world
from tests.test_live.test_alerts import Web, web_server
from tests.test_live.test_running import until

ROOT = Path(__file__).resolve().parents[2]
CANARY = "canary-7f3a9b"
SCRIPT = """
import faulthandler, logging, os, sys, threading
import tests.test_live.base_install
logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
faulthandler.enable()
from pathlib import Path
from live.feeds import started
from live.operating import operate
from live.risk import Limits
folder = Path(sys.argv[1])
runner = started(folder / "bundles", folder / "j.sqlite", f"replay:{folder / 'tape.parquet'}", 20_000.0,
                 keys=[bytes.fromhex(sys.argv[2])], kill_file=folder / "KILL", limits=Limits(), environment=os.environ)
def told(report):
    print("over", flush=True)
    sys.stdin.readline()
    if runner.now.hub.newest:
        raise RuntimeError("a crash with everything in its frames: " + repr(runner) + repr(report))
operate(runner, environment=os.environ, alerts=folder / "alerts.toml", serve=True, port=0, told=told)
"""


@pytest.mark.slow
def test_no_canary_gets_out(tmp_path: Path) -> None:
    world.publish(tmp_path / "bundles")
    world.tape(tmp_path / "tape.parquet", 0, 1)
    (tmp_path / "alerts.toml").write_text(
        '[rules]\nlimit_used = 0.01\nmemory_mb = 1\n[email]\nhost = "127.0.0.1"\nport = 9\nsender = "a@example.org"\n'
        'to = ["b@example.org"]\nuser = "desk"\nstarttls = false\n')
    web, seen = Web(), []
    with web_server(web) as url:
        environment = {**os.environ, PASSWORD: CANARY, DISCORD: f"{url}/{CANARY}/discord", WEBHOOK: "http://127.0.0.1:9/"
                       + CANARY, "POLYGON_API_KEY": CANARY, "DATABENTO_API_KEY": CANARY}
        words = [sys.executable, "-c", SCRIPT, str(tmp_path), world.PUBLIC.hex()]
        with open(tmp_path / "stderr", "w") as errors, subprocess.Popen(
                words, cwd=ROOT, text=True, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=errors) as process:
            assert process.stdout is not None and process.stdin is not None
            where = process.stdout.readline()
            port, token = where.split()[2].removeprefix("http://127.0.0.1:").split("/#")
            seen.append(where)
            seen += iter(process.stdout.readline, "over\n")
            for path in ("/", "/docs", "/status", "/positions", "/pnl", "/decisions", "/limits", "/bundle", "/metrics",
                         "/alerts", "/signals", "/openapi.json", "/nowhere", "/passport/o-" + "0" * 20):
                connection = HTTPConnection("127.0.0.1", int(port), timeout=20)
                connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
                answer = connection.getresponse()
                seen.append(str(answer.headers) + answer.read().decode())
                connection.close()
            until(lambda: bool(web.posts), 20.0)
            process.stdin.write("\n")
            process.stdin.close()
            seen.append(process.stdout.read())
        assert process.returncode != 0  # it crashed, as it was made to
    said = (tmp_path / "stderr").read_text()
    assert "RuntimeError: a crash" in said and "alert not delivered by email" in said  # both were tried, both failed
    posted = json.dumps([body for _, body in web.posts])
    assert posted != "[]" and CANARY in web.posts[0][0]  # the address was used
    assert CANARY not in said and CANARY not in "".join(seen) and CANARY not in posted
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert CANARY.encode() not in file.read_bytes(), file
