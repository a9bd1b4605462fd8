"""The nightly's page: whole, alone, safe, the same every time, and honest about what is missing."""

import csv
import datetime as dt
import html
import html.parser
import io
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pipelines.home import Home
from pipelines.report import headline, latest, render, untold
from pipelines.report.front import BROKEN
from pipelines.report.parts import PARTS
from pipelines.report.story import SECTIONS, Story
from pipelines.settings import Settings
from tests.test_pipelines.report_story import story_sections

NOW = dt.datetime(2025, 7, 1, 6, tzinfo=dt.UTC)
VOID = {"meta", "br", "hr", "link"}


def page(home: Path, sections: dict[str, Any], source: str = "sandbox") -> str:
    desk = Home(home).prepare()
    for name, section in sections.items():
        desk.write_section(name, section)
    return render(desk, Settings(home=home, source=source), NOW).read_text()


def story(sections: dict[str, Any]) -> Story:
    return Story(NOW, "sandbox", 7, sections)


class Reader(html.parser.HTMLParser):
    """Collects tags, their attributes and the visible text; refuses tags that do not close."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


def test_a_promoted_night_is_told_from_the_verdict_down(tmp_path: Path) -> None:
    text = page(tmp_path, story_sections())
    assert re.findall("<h2>(.*?)</h2>", text) == [part.title for part in PARTS]
    read = Reader(text)
    assert BROKEN not in read.text
    assert read.text.index("Promoted.") < read.text.index("What changed tonight")
    for expected in ("5.42", "deflated Sharpe 0.978", "27 Jun 2023 – 30 Jun 2025", "N = 10", "2.6 with a chance",
                     "strong on purpose", "Sharpe of 6.48", "iv30", "bad_range", "21,733", "gbm.txt"):  # fmt: skip
        assert expected in read.text, expected


def test_the_page_needs_nothing_from_outside(tmp_path: Path) -> None:
    text = page(tmp_path, story_sections())
    assert len(text.encode()) < 500_000
    assert not re.search(r"https?:|//[a-z]|@import|url\(", text)
    read = Reader(text)
    assert not {"script", "img", "iframe", "object", "link", "form"} & {name for name, _ in read.tags}
    links = {attributes["href"] for name, attributes in read.tags if name == "a"}
    elsewhere = {link for link in links if link and not link.startswith("#")}
    assert elsewhere == {"features.html", "judged-equity.csv", "../week-2025-27/index.html",
                         "../drift/4be1970ac2d3.html",
                         "tear-sheets/ensemble-g30-h5.html", "judged-returns.parquet", "judged-trades.parquet",
                         "judged-positions.parquet"}
    anchors = {attributes.get("id") for _, attributes in read.tags}
    assert {link[1:] for link in links if link and link.startswith("#")} <= anchors


def test_same_sections_same_bytes(tmp_path: Path) -> None:
    first, second = page(tmp_path / "a", story_sections()), page(tmp_path / "b", story_sections())
    assert first == second
    a, b = (tmp_path / name / "reports" / "2025-07-01" / "judged-equity.csv" for name in "ab")
    assert a.read_bytes() == b.read_bytes()


def test_every_text_is_escaped(tmp_path: Path) -> None:
    evil = '<script>alert("x")</script>&"\''
    sections = story_sections()
    sections["verdict"] |= {"strategy": evil, "reasons": [evil], "key": evil}
    sections["verdict"]["checks"][0] |= {"name": evil, "plain": evil}
    sections["judged"]["strategies"][0] |= {"name": evil, "by_regime": {evil: {evil: 1.0}}}
    sections["ingest"]["quarantined"] = {evil: 3}
    sections["drift"]["features"][evil] = {"psi": 1.0}
    sections["drift"]["evidently_html"] = "javascript:alert(1)"
    sections["live"] = {"flat_reason": evil}
    text = page(tmp_path, sections)
    assert "<script" not in text
    assert 'href="javascript:' not in text
    Reader(text)


@pytest.mark.parametrize("missing", [*SECTIONS, "all"])
def test_a_missing_section_is_said_and_nothing_breaks(tmp_path: Path, missing: str) -> None:
    sections = {} if missing == "all" else {k: v for k, v in story_sections().items() if k != missing}
    read = Reader(page(tmp_path, sections))
    assert BROKEN not in read.text
    said = [part.missing for part in PARTS if missing in (part.section, "all")]
    assert all(f": {sentence}." in read.text for sentence in said)
    assert ("Not written tonight" in read.text) == bool(said)


def test_a_section_without_its_keys_is_a_dash_not_an_exception(tmp_path: Path) -> None:
    sections: dict[str, Any] = {name: {"now": NOW.isoformat()} for name in SECTIONS}
    sections["judged"] = {"strategies": [{"name": "bare", "kind": "candidate", "sharpe_net": float("nan")}]}
    sections["verdict"] = {"act": "reject", "checks": [{"name": "deflated_sharpe", "passed": False, "value": None}]}
    text = Reader(page(tmp_path, sections)).text
    assert BROKEN not in text
    assert "nan" not in text.lower().split()


def test_a_malformed_section_costs_its_own_chapter_only(tmp_path: Path) -> None:
    sections = story_sections()
    sections["leak"] = {"passed": True, "findings": 3, "decision_times": 7}
    read = Reader(page(tmp_path, sections))
    assert read.text.count(BROKEN) == 1
    assert "Promoted." in read.text


def test_a_rejected_night_says_why_and_shows_the_bars(tmp_path: Path) -> None:
    sections = story_sections()
    reason = "An active Sharpe of 0.42 over 504 sessions: deflated Sharpe 0.310, below the bar of 0.95."
    sections["verdict"] |= {"act": "reject", "promoted": False, "signal": "zero", "reasons": [reason]}
    sections["verdict"]["checks"][0] |= {"passed": False, "value": 0.31, "plain": reason}
    sections["live"] = {"flat_reason": "no bundle was ever published"}
    sections["bundle"] = {"published": False, "why": f"Nothing published: {reason}"}
    text = Reader(page(tmp_path, sections)).text
    flat = "Live stayed flat: no bundle was ever published."
    for expected in ("Rejected.", reason, "1 of 8 failed", "switched off", flat, "Nothing published"):
        assert expected in text, expected


def test_a_leak_is_named_with_its_first_bad_date(tmp_path: Path) -> None:
    sections = {name: story_sections()[name] for name in ("ingest", "warehouse", "features")}
    finding = {"feature": "planted_peek", "entity": "BBG000B9XRY4", "first_bad_time": "2024-03-11T13:00:00+00:00",
               "decision_time": "2025-01-15T14:00:00+00:00"}  # fmt: skip
    sections["leak"] = {"passed": False, "parity_passed": True, "findings": [finding], "decision_times": []}
    text = Reader(page(tmp_path, sections)).text
    assert "Stopped." in text
    assert "planted_peek of BBG000B9XRY4" in text
    assert "first bad date 11 Mar 2024" in text


def test_a_refresh_is_not_called_a_promotion() -> None:
    sections = story_sections()
    sections["verdict"] |= {"act": "refresh", "attempted": "refresh"}
    assert headline(story(sections)).startswith("Refreshed: ensemble-g30-h5 keeps its place")
    sections["verdict"] |= {"act": "reject", "promoted": False}
    assert headline(story(sections)).startswith("Not refreshed: ensemble-g30-h5 trades on with the weights it had")


def test_what_folklore_would_say_of_decay_stands_with_its_figures(tmp_path: Path) -> None:
    told = "tonight it would say that it is ill: an annual Sharpe of 3.10 since, 4.60 judged, give or take 0.80"
    assert told in page(tmp_path / "a", story_sections())
    before = story_sections()
    del before["decay"]["folklore"]  # a night of an older version
    assert "ill in 16 % of looks." in page(tmp_path / "b", before)


def test_sandbox_is_mentioned_on_the_sandbox_only(tmp_path: Path) -> None:
    assert "sandbox market" in page(tmp_path / "a", story_sections())
    assert "sandbox market" not in page(tmp_path / "b", story_sections(), source="vendors")


def test_late_and_revised_sessions_are_told_apart(tmp_path: Path) -> None:
    sections = story_sections()
    sections["ingest"]["changed_sessions"] = {"polygon": ["2025-06-25", "2025-06-30"]}
    assert "new: 30 Jun 2025; revised or late: 25 Jun 2025" in Reader(page(tmp_path, sections)).text


def test_a_first_load_is_told_in_days_and_in_one_line_for_all_features(tmp_path: Path) -> None:
    sections = story_sections()
    sections["ingest"] |= {"first_load": True}
    whole = {"rows": 10, "rebuilt": 10, "features": {}}
    sections["features"]["families"] = {f"family{at}_v1": whole for at in range(9)}
    text = Reader(page(tmp_path, sections)).text
    assert "Days that facts came for" in text and "listings, splits and dividends" in text
    assert "Features: every row of 9 tables rebuilt, 90 rows." in text and "Features family0_v1" not in text
    whole.update(unchanged=True)
    text = Reader(page(tmp_path, sections)).text
    assert "Features: 9 tables of 9 unchanged, 90 rows." in text and "Features family0_v1" not in text


def test_a_session_traded_after_the_night_waits_for_the_next_one(tmp_path: Path) -> None:
    sections = story_sections()
    sections["twin"] = {"sessions": [], "plain": "No session was traded yet."}
    text = Reader(page(tmp_path, sections)).text
    assert "is compared by the next night" in text and "No session was traded yet" not in text


def test_the_csv_beside_the_page_is_the_judged_equity(tmp_path: Path) -> None:
    sections = story_sections()
    page(tmp_path, sections)
    rows = list(csv.reader(io.StringIO((tmp_path / "reports" / "2025-07-01" / "judged-equity.csv").read_text())))
    judged = sections["judged"]
    assert rows[0] == ["session", "buy_and_hold", *(one["name"] for one in judged["strategies"])]
    assert len(rows) == 505
    assert float(rows[-1][2]) == judged["strategies"][0]["equity"][-1] - 1.0


def test_latest_names_the_newest_night(tmp_path: Path) -> None:
    desk = Home(tmp_path).prepare()
    assert latest(desk) is None
    for day in (1, 2):
        written = render(desk, Settings(home=tmp_path), NOW.replace(day=day))
    assert latest(desk) == written
    assert (tmp_path / "reports" / "2025-07-01" / "index.html").exists()


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_fits_the_screen(tmp_path: Path, chromium: str, width: int) -> None:
    """In a frame as wide as a phone or a desk's screen, nothing reaches over the edge."""
    assert wide_as_shown(page(tmp_path, story_sections()), tmp_path, chromium, width) == width


def wide_as_shown(document: str, tmp_path: Path, chromium: str, width: int) -> int:
    """How wide a document turns out in a frame of that width."""
    inside = html.escape(document)
    measure = "f.onload = () => p.textContent = 'wide ' + f.contentDocument.documentElement.scrollWidth + '.'"
    frame = f"<iframe id=f style='border:0;width:{width}px;height:900px' srcdoc=\"{inside}\"></iframe>"
    probe = tmp_path / "probe.html"
    probe.write_text(f"<!doctype html><p id=p></p>{frame}<script>{measure}</script>")
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--virtual-time-budget=5000"]
    ran = subprocess.run(
        [chromium, "--headless", *quiet, f"--user-data-dir={tmp_path}/chromium", "--dump-dom", probe.as_uri()],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    found = re.search(r"wide (\d+)\.", ran.stdout)
    assert found, ran.stdout[-500:]
    return int(found[1])


def test_last_nights_verdict_is_not_told_after_a_leak(tmp_path: Path) -> None:
    sections = story_sections()
    sections["leak"] |= {"passed": False}
    text = Reader(page(tmp_path, sections)).text
    assert "Stopped." in text
    assert "Promoted" not in text
    assert "no verdict was reached" in text


def test_what_should_have_been_told_is_listed() -> None:
    sections = story_sections()
    assert untold(story({**sections, "live": {}})) == []
    lacking = {**sections, "leak": {"findings": 3}, "drift": {}, "bundle": {}}
    assert untold(story(lacking)) == ["Leak gate", "Drift", "Bundle"]
    rejected = {**sections["verdict"], "promoted": False}
    assert untold(story({**sections, "verdict": rejected, "bundle": {}})) == []
