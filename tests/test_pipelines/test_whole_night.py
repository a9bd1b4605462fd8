"""One night of the small market seen as its user sees it: commands, exit codes, what stands afterwards."""

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.conftest import nightdesk

pytestmark = pytest.mark.xdist_group("whole-night")


def _json(*words: str, home: Path) -> object:
    ran = nightdesk(*words, "--json", home=home)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.fixture
def copied(whole_night: Path, tmp_path: Path) -> Path:
    """A home to change."""
    return Path(shutil.copytree(whole_night, tmp_path / "home"))


def test_the_planted_signal_was_promoted_published_and_traded(whole_night: Path) -> None:
    sections = whole_night / "work" / "sections"
    verdict = json.loads((sections / "verdict.json").read_text())
    assert verdict["act"] == "promote" and all(check["passed"] for check in verdict["checks"])
    assert verdict["trials_n"] >= 8
    live = json.loads((sections / "live.json").read_text())
    assert [day["session"] for day in live["sessions"]] == ["2025-07-01"]
    assert live["sessions"][0]["fills"] > 0


def test_a_second_night_on_unchanged_input_does_nothing_and_says_so(copied: Path) -> None:
    before = _json("status", home=copied)
    ran = nightdesk("nightly", home=copied)
    assert ran.returncode == 0, ran.stderr
    assert "Nothing changed" in ran.stderr
    for stands in ("gbm: all 9 fits stand", "gnn: all 5 fits stand", "hmm: all 5 fits stand",
                   "every candidate stands as it was judged", "drift stands", "tear sheets stand"):
        assert stands in ran.stderr
    assert _json("status", home=copied)["digests"] == before["digests"]  # type: ignore[index]
    again = nightdesk("live", home=copied)
    assert again.returncode == 0 and "already replayed" in again.stdout


def test_a_planted_look_ahead_stops_the_night_and_is_named_with_its_first_bad_date(copied: Path) -> None:
    bundles = sorted(path.name for path in (copied / "bundles").iterdir())
    ran = nightdesk("nightly", "--set", "leak.planted=true", "--set", "leak.decision_times=1", home=copied)
    assert ran.returncode == 1
    found = re.search(r"planted\w*.*?(\d{4}-\d{2}-\d{2})", ran.stderr, re.DOTALL)
    assert found, ran.stderr
    assert sorted(path.name for path in (copied / "bundles").iterdir()) == bundles
    page = (copied / "reports" / (copied / "reports" / "latest").read_text().strip() / "index.html").read_text()
    told = json.loads((copied / "work" / "sections" / "leak.json").read_text())["findings"][0]
    assert "Stopped." in page and told["entity"] in page and f"moved by {told['input']}" in page


def test_an_order_explains_itself_and_recomputes(whole_night: Path) -> None:
    live = json.loads((whole_night / "work" / "sections" / "live.json").read_text())
    document = _json("passport", live["sessions"][0]["decision_id"], home=whole_night)
    assert document["recomputed_equal"] is True  # type: ignore[index]
    order = document["orders"][0]["order_id"]  # type: ignore[index]
    assert nightdesk("passport", order, home=whole_night).returncode == 0


def test_the_marts_answer_as_of_a_past_day(whole_night: Path) -> None:
    rows = _json("sql", "select max(session) as newest from daily_bars", "--as-of", "2025-03-31", home=whole_night)
    assert rows == [{"newest": "2025-03-31"}]
    wrong = nightdesk("sql", "select nothing from nowhere", home=whole_night)
    assert wrong.returncode == 2 and "Traceback" not in wrong.stderr


def test_chains_and_signatures_hold_and_a_changed_record_is_found(copied: Path) -> None:
    assert _json("models", "verify", home=copied) == {"ledger": "ok", "records": "ok", "bundle": "ok"}
    record = next((copied / "records").glob("*/record.json"))
    record.write_bytes(record.read_bytes().replace(b"promote", b"demoted", 1))
    assert nightdesk("models", "verify", home=copied).returncode == 1


def test_a_recording_of_the_sandbox_gives_the_same_marts(whole_night: Path, copied: Path, tmp_path: Path) -> None:
    from pipelines import settings as settings_module
    from pipelines.home import Home
    from pipelines.lake import ingest, marts, record
    from pipelines.night import current

    now = current(Home(whole_night))
    record.record(Home(whole_night), tmp_path / "recording")
    settings = settings_module.load({"home": str(tmp_path / "other"), "source": f"files:{tmp_path / 'recording'}"})
    other = Home(settings.home).prepare()
    ingest.ingest(settings, other, now)
    built = marts.build(other, now=now)
    assert built.digests == marts.mart_digests(marts.current(Home(whole_night)))


def test_a_home_of_another_market_is_refused(whole_night: Path) -> None:
    ran = nightdesk("nightly", "--seed", "8", home=whole_night)
    assert ran.returncode == 2 and "seed 7" in ran.stderr
