"""After a whole night and a replayed session: live's numbers are the offline store's and the training code's."""

import subprocess
import sys
from pathlib import Path

import pytest

from live import canonical
from live.journal import Journal
from live.settings import load_keys
from models.bundle import current, load
from models.strategy import decide
from pipelines import night
from pipelines.home import Home
from pipelines.store import frame
from pipelines.trading import journal_path

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.xdist_group("whole-night")  # one worker makes the night; no other need wait for it


def test_p1_p2_p3_of_the_replayed_session(whole_night: Path) -> None:
    home = Home(whole_night)
    now = night.current(home)
    folder = current(home.bundles)
    assert folder is not None
    bundle = load(folder, load_keys(home.keys), 0, now)
    book = Journal(journal_path(home), read_only=True)
    decision, features = book.last("decision"), book.last("features")
    book.close()
    assert decision is not None and features is not None and decision.payload["features_as_judged"] is True
    panel = frame.decision_panel(home, now=now).select(bundle.strategy.features)
    assert str(panel.sessions[-1]) == decision.session and list(panel.names) == features.payload["names"]
    assert canonical.packed(panel.values[-1]) == features.payload["rows"][-1]["values"]
    again = decide(bundle.strategy, bundle.models, panel)
    for name in ("gbm", "gnn", "score", "weights"):
        assert canonical.packed(getattr(again, name)) == decision.payload[name], name


def test_every_order_of_the_night_has_a_passport_that_recomputes(whole_night: Path) -> None:
    book = Journal(journal_path(Home(whole_night)), read_only=True)
    orders = [entry.payload["order_id"] for entry in book.entries("intent")]
    book.close()
    assert orders
    ran = subprocess.run([sys.executable, "-m", "pipelines.cli", "passport", orders[0], "--home", str(whole_night)],
                         cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert "EQUAL, bit for bit" in ran.stdout
