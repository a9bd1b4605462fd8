"""The night that a newcomer's `make run` does, at its default size: the small desk's market with all its incidents."""

import json
import resource
from pathlib import Path

import pytest

from tests.conftest import nightdesk

pytestmark = pytest.mark.slow
MOST_KIB = 4 * 1024 * 1024


def _lived(home: Path, signal: str) -> tuple[dict[str, object], dict[str, object]]:
    """One night and the day after it: its verdict, and what live did."""
    for words in (("nightly", "--set", f"sandbox.signal={signal}"), ("live", "--feed", "sandbox")):
        ran = nightdesk(*words, home=home)
        assert ran.returncode == 0, ran.stderr[-4000:]
    sections = home / "work" / "sections"
    return json.loads((sections / "verdict.json").read_text()), json.loads((sections / "live.json").read_text())


def test_a_signal_is_promoted_and_traded_and_the_same_night_again_has_nothing_to_do(tmp_path: Path) -> None:
    verdict, live = _lived(tmp_path, "strong")
    assert verdict["act"] == "promote" and sum(day["fills"] for day in live["sessions"]) > 0  # type: ignore[attr-defined]
    before = json.loads(nightdesk("status", "--json", home=tmp_path).stdout)["digests"]
    again = nightdesk("nightly", home=tmp_path)
    assert again.returncode == 0 and "Nothing changed" in again.stderr, again.stderr[-4000:]
    assert json.loads(nightdesk("status", "--json", home=tmp_path).stdout)["digests"] == before
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < MOST_KIB


def test_noise_is_refused_with_reasons_and_live_stays_flat(tmp_path: Path) -> None:
    verdict, live = _lived(tmp_path, "zero")
    assert verdict["act"] == "reject" and verdict["reasons"]
    assert live["flat_reason"] and not any(day["fills"] for day in live["sessions"])  # type: ignore[attr-defined]
