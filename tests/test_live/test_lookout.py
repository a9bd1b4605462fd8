"""What the lookout sees of an account, and that it tells each thing once."""

import logging
from pathlib import Path

import pytest

from live.adapters.alerts_log import LogSink
from live.alert_settings import Rules
from live.alerts import Alert, Alerter
from live.hub import Hub
from live.lookout import Expected, Lookout
from live.risk import Limits
from live.view import View
from live.vitals import Vitals
from tests.test_live.kept_alerts import Kept
from tests.test_live.test_api import account, traded

ALERT = Alert("limit", "warning", "gross exposure has used 91% of its limit", "2025-06-26T14:00:00+00:00", "limit g")


def lookout(folder: Path, sink: Kept, *, limits: Limits | None = None, rules: Rules | None = None,
            hub: Hub | None = None, vitals: Vitals | None = None,
            expected: Expected | None = None) -> tuple[Lookout, Alerter]:
    shown = account(folder).view
    view = View(shown.journal, shown.kill_file, limits or shown.limits, shown.capital_usd)
    alerter = Alerter([sink])
    return Lookout(view, alerter, rules or Rules(), lambda: "now", hub or Hub(), vitals, expected), alerter


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("alerted")
    traded(folder)
    return folder


def kinds(one: tuple[Lookout, Alerter], sink: Kept) -> list[str]:
    one[0].look()
    one[0].look()  # what lasts is not told again
    one[1].close()
    return sorted(alert.kind for alert in sink.got)


def test_a_calm_account_is_not_a_word(desk: Path) -> None:
    sink = Kept()
    assert kinds(lookout(desk, sink, vitals=Vitals()), sink) == []


def test_each_condition_is_told_once_by_its_own_name(desk: Path) -> None:
    now_s = [0.0]
    slow = Vitals(monotonic_s=lambda: now_s[0])
    slow.heard()
    with slow.measured():
        now_s[0] += 0.5
    now_s[0] += 200.0
    sink = Kept()
    rules = Rules(memory_mb=1.0, win_rate_trades=5, win_rate=1.01)
    tight = Limits(max_gross=1.0)
    found = kinds(lookout(desk, sink, limits=tight, rules=rules, vitals=slow,
                          expected=Expected(60.0, 1e-5, 0.0)), sink)
    assert found == ["decay", "latency", "limit", "memory", "stale_feed", "win_rate"]
    texts = {alert.kind: alert.text for alert in sink.got}
    assert "500 ms" in texts["latency"] and "200 s" in texts["stale_feed"] and "gross exposure" in texts["limit"]
    assert "once in 504 sessions" in texts["decay"]


def test_what_happens_is_told_at_once(desk: Path) -> None:
    hub, sink = Hub(), Kept()
    one = lookout(desk, sink, hub=hub)
    told = {"state": "HALTED", "was": "ACTIVE", "reason": "daily loss 0.09 of equity"}
    hub.publish("state", at="then", told=told)
    hub.publish("kill", mode="halt", by="API", cancelled=3)
    hub.publish("hazard", at="then", told={"kind": "feed_silent", "since": "noon"})
    hub.publish("fill", at="then", told={"price": 1.0})
    assert kinds(one, sink) == ["kill_switch", "stale_feed", "state"]
    state = next(alert for alert in sink.got if alert.kind == "state")
    assert (state.severity, state.at) == ("critical", "then") and "daily loss" in state.text


def test_the_log_has_it_too(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "nightdesk.alerts")
    LogSink().send(ALERT)
    assert caplog.records[0].levelname == "WARNING" and ALERT.text in caplog.text
