"""The pages of a night that was: served by Dagster's webserver, asked through GraphQL, and drawn by a browser."""

import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import nightdesk
from tests.test_pipelines.ui_served import ask, observed_sessions, serving, stale_assets

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("pages")]
LAST_RUN = "{runsOrError(limit: 1) {... on Runs {results {status jobName}}}}"
ASSETS = """{assetNodes {assetKey {path} groupName description isMaterializable kinds owners {__typename}
             assetMaterializations(limit: 1) {runId}}}"""


@pytest.fixture(scope="module")
def served(whole_night: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The webserver alone over a copy of the home: what the page shows needs no daemon."""
    home = Path(shutil.copytree(whole_night, tmp_path_factory.mktemp("ui") / "home"))
    with serving(home) as address:
        yield address


def test_the_last_night_is_green_and_every_asset_tells_what_it_is(served: str) -> None:
    assert ask(served, LAST_RUN)["runsOrError"]["results"] == [{"status": "SUCCESS", "jobName": "nightly"}]
    nodes = ask(served, ASSETS)["assetNodes"]
    assert {node["groupName"] for node in nodes} == {
        "ingest", "warehouse", "features", "training", "validation", "promotion", "reporting",
    }  # fmt: skip
    for node in nodes:
        assert node["description"] and node["kinds"] and node["owners"], node["assetKey"]
        assert node["assetMaterializations"] or not node["isMaterializable"], node["assetKey"]


@pytest.mark.parametrize(("opened", "seen"), [
    (("features",), ("online",)),  # what does not fit into the window is not drawn
    (("validation", "promotion"), ("judged", "verdict", "bundle")),
])
def test_a_browser_draws_the_lineage(
    opened: tuple[str, ...], seen: tuple[str, ...], served: str, chromium: str, tmp_path: Path
) -> None:
    groups = ",".join(f"global@global:{name}" for name in opened)
    drawn = subprocess.run(
        [chromium, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}",
         "--window-size=1800,2200", "--virtual-time-budget=25000", "--dump-dom",
         f"{served}/asset-groups/?expanded={groups}"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    missing = [name for name in ("Global asset lineage", "warehouse", *seen) if name not in drawn.stdout]
    assert not missing, drawn.stderr[-2000:]


def test_what_an_ingest_alone_has_brought_is_marked_and_followed(whole_night: Path, tmp_path: Path) -> None:
    """The pages mark the direct children, status lists all that lies beyond them."""
    home = Path(shutil.copytree(whole_night, tmp_path / "home"))
    assert json.loads(nightdesk("status", "--json", home=home).stdout)["stale"] == []
    landed = nightdesk("ingest", "--next", home=home)
    assert landed.returncode == 0, landed.stderr
    with serving(home) as address:
        marked = stale_assets(address)
        came = {vendor: observed_sessions(address, vendor, 9) for vendor in ("polygon", "cboe", "cme")}
    assert all("2025-07-01" in sessions and None in sessions for sessions in came.values()), came  # None: all at first
    assert marked["staging/equity_bars"] == ["facts/polygon"] and marked["marts/futures_trades"] == ["facts/cme"]
    assert not any(name.startswith(("features/", "training/")) for name in marked)  # one step further, nothing is known
    followed = {one["asset"] for one in json.loads(nightdesk("status", "--json", home=home).stdout)["stale"]}
    assert followed > set(marked) and {"features/equity_v1", "training/gbm", "reporting/nightly_report"} <= followed


def test_a_port_that_is_taken_is_said_in_one_line(whole_night: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = nightdesk("ui", "--port", str(port), home=whole_night)
    assert refused.returncode == 2 and f"port {port}" in refused.stderr and "Traceback" not in refused.stderr
