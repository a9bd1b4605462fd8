"""`feast ui` opens over a home, and says of every view and feature what the registry declares."""

import json
import os
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from models.features.registry import FEATURES, families
from pipelines.home import Home
from pipelines.store import feast_home, feast_store


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_feast_s_pages_show_descriptions_and_owners(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").prepare()
    feast_store(home)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = str(Path(sys.executable).with_name("feast"))
    words = [program, "-c", str(feast_home.REPOSITORY), "ui", "--host", "127.0.0.1", "--port", str(port)]

    def page(path: str) -> bytes:
        told: bytes = urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60).read()
        return told

    with subprocess.Popen(words, env={**os.environ, feast_home.VARIABLE: str(home.feast)}, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True) as server:  # fmt: skip
        try:
            assert server.stdout is not None
            assert any("Uvicorn running" in line for line in server.stdout)
            assert b"<!doctype html>" in page("/")
            answer = json.loads(page("/api/v1/feature_views?project=nightdesk&limit=100"))
            views: dict[str, Any] = {one["spec"]["name"]: one["spec"] for one in answer["featureViews"]}
        finally:
            server.terminate()
    assert {view: told["owner"] for view, told in views.items()} == {view: some[0].owner
                                                                     for view, some in families().items()}  # fmt: skip
    said = {(view, one["name"]): one["description"] for view, told in views.items() for one in told["features"]}
    assert said == {(feature.view, feature.name): feature.description for feature in FEATURES}
