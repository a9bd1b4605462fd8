"""A rule from the settings to a trade: judged among the learned, let through by a person, published, traded on paper,
recomputed from the journal, refreshed by a night that no longer asks for it, and found lived as judged."""

import json
from pathlib import Path

import pytest

from tests.conftest import nightdesk

# Without a signal what is learned is no better than a rule, and of all rules one is the best.
MARKET = ("--set", "sandbox.small=true", "--set", "sandbox.names=10", "--set", "sandbox.sessions=340",
          "--set", "sandbox.signal=zero")
RULES = ("vam", "reversion", "breakout", "rule-ensemble", "voting", "voting-gated", "trend-and-volatility",
         "multi-factor", "calm")


def run(home: Path, *words: str) -> str:
    ran = nightdesk(*words, home=home)
    assert ran.returncode == 0, f"nightdesk {' '.join(words)}:\n{ran.stderr[-3000:]}"
    return ran.stdout


@pytest.mark.slow
def test_a_rule_is_judged_published_traded_and_refreshed(tmp_path: Path) -> None:
    run(tmp_path, "nightly", *MARKET, "--set", f"strategies.rules={','.join(RULES)}")
    verdict = json.loads((tmp_path / "work" / "sections" / "verdict.json").read_text())
    assert verdict["strategy"] in RULES and verdict["trials_n"] == 8 + len(RULES)
    parity = next(check for check in verdict["checks"] if check["name"] == "parity")
    assert parity["passed"] and verdict["act"] == "reject"
    run(tmp_path, "models", "override", "--until", "2025-07-20", "--reason", "to see a rule trade", "--actor", "a test")
    day = json.loads(run(tmp_path, "live", "--json"))["sessions"][0]
    assert day["features_as_judged"] is True and day["fills"] > 0
    told = json.loads(run(tmp_path, "passport", day["decision_id"], "--json"))
    assert told["recomputed_equal"] is True and told["strategy"]["name"] == verdict["strategy"]
    run(tmp_path, "nightly", "--next", *MARKET)
    after = json.loads((tmp_path / "work" / "sections" / "verdict.json").read_text())
    assert (after["act"], after["strategy"]) == ("refresh", verdict["strategy"])
    twin = json.loads((tmp_path / "work" / "sections" / "twin.json").read_text())
    assert twin["plain"] == f"Session {day['session']} was lived to the cent as it is judged."
