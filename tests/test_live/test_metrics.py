"""The metrics tell what the journal and the process know, and the dashboard asks for nothing else."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from live.alerts import Alert, Alerter
from live.metrics import exposition
from live.view import View
from tests.test_live.test_alerts import Kept
from tests.test_live.test_api import account, traded
from tests.test_live.test_running import runner as made_runner
from tests.test_live.test_running import running, until

DASHBOARD = Path(__file__).resolve().parents[2] / "docs" / "grafana" / "nightdesk-live.json"


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("metrics")
    return folder, traded(folder)


def told(view: View, alerter: Alerter | None = None) -> dict[str, Any]:
    body, kind = exposition(view, alerter)
    assert kind.startswith("text/plain")
    return {family.name: family for family in text_string_to_metric_families(body.decode())}


def names(families: dict[str, Any]) -> set[str]:
    return {f"{name}_total" if family.type == "counter" else name for name, family in families.items()}


def test_every_expression_of_the_dashboard_is_a_metric_and_every_metric_is_on_it(bundles: tuple[Path, Path]) -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    asked = {name for panel in panels for target in panel["targets"]
             for name in re.findall(r"nightdesk_\w+", target["expr"])}
    assert asked == names(told(account(bundles[0]).view))
    labels = {match for panel in panels for target in panel["targets"]
              for match in re.findall(r"{{(\w+)}}", target["legendFormat"])}
    assert labels == {"state", "limit", "symbol", "quantile", "regime", "kind", "sink"}
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]
    assert len(set(places)) == len(places) and all(p["gridPos"]["x"] + p["gridPos"]["w"] <= 24 for p in panels)


def test_alerts_and_wins_are_counted(bundles: tuple[Path, Path]) -> None:
    alerter = Alerter([Kept()])
    for key in ("a", "b"):
        alerter.post(Alert("limit", "warning", "x", "now", key))
    families = told(account(bundles[0]).view, alerter)
    alerter.close()
    (sample,) = families["nightdesk_alerts"].samples
    assert (sample.labels, sample.value) == ({"kind": "limit"}, 2.0)
    (won,) = families["nightdesk_win_ratio"].samples
    assert 0.0 <= won.value <= 1.0
    assert sum(one.value for one in families["nightdesk_regime_probability"].samples) == pytest.approx(1.0)


def test_the_running_session_is_told_before_its_close(bundles: tuple[Path, Path], tmp_path: Path) -> None:
    one = made_runner(bundles[1], tmp_path, speed=6_000.0)
    view = View(one.journal, one.kill_file, one.limits, one.costs.capital_usd, one.now)
    with running(one):
        until(lambda: (one.now.document() or {}).get("fills"))
        families, status = told(view), view.status()
        assert status["open"] and status["fills"] > 0 and not list(view.pnl()["sessions"])
        assert view.positions() and status["decision_id"] == view.decisions(1)[0]["decision_id"]
        assert families["nightdesk_positions"].samples[0].value > 0
        assert families["nightdesk_memory_bytes"].samples[0].value > 1e7
        assert families["nightdesk_feed_silent_seconds"].samples[0].value >= 0
        assert status["process"]["cycle_p99_ms"] > 0
    assert not view.status()["open"]
