"""The week's page: acts with who and why, sessions with what they made, what waits; and the same as tables."""

import csv
import datetime as dt

import pyarrow.parquet as pq
from typer.testing import CliRunner

from live.journal import Journal
from pipelines import cli
from pipelines.evidence import keys
from pipelines.evidence.acts import Acts
from pipelines.evidence.ledger import Ledger
from pipelines.evidence.records import Records
from pipelines.home import Home
from pipelines.report import weekly

NOW = dt.datetime(2025, 7, 2, 6, tzinfo=dt.UTC)


def desk(folder) -> Home:
    home = Home(folder).prepare()
    Ledger(home.ledger).register("outer", "t", "k", 7, {}, NOW)
    content = {"act": "propose", "attempted": "promote", "slot": "daily-equity", "strategy": "<b>little", "key": "k",
               "rung": "shadow", "ledger": {"n": 1, "head": "0" * 64}, "verdict": {"checks": []}}
    Records(home).append({**content, "act": "promote", "night": 0}, {}, NOW - dt.timedelta(days=20),
                         keys.open_or_create(home.keys))
    Records(home).append(content, {}, NOW, keys.open_or_create(home.keys))
    with Journal(home.journal / "paper.sqlite", synced=False) as book:
        for day in (27, 30):
            payload = {"pnl": 100.0 * day, "equity": 1e6, "costs": 5.0, "orders": 2, "fills": 2, "refused": 0}
            book.append("close", dt.date(2025, 6, day), NOW, payload)
    home.write_section("twin", {"sessions": [{"session": "2025-06-30", "difference": -7.5,
                                              "parts": {"cost": -8.0, "timing": 0.5}}]})
    (home.reports / "2025-07-02").mkdir(parents=True)
    return home


def test_the_week_tells_what_was_decided_traded_and_what_waits(tmp_path):
    home = desk(tmp_path)
    page = weekly.render(home, NOW.date())
    text = page.read_text()
    assert page.parent.name == "week-2025-27" and "nightdesk models approve 2" in text
    assert "&lt;b&gt;little" in text and "<b>little" not in text and "http" not in text and "<script" not in text
    assert "+3,000 USD" in text and "2,700" not in text and "../2025-07-02/index.html" in text
    assert "1 this week, 1 ever" in text
    rows = pq.read_table(page.with_name("sessions.parquet")).to_pylist()
    assert [(one["session"], one["against_judged_usd"], one["largest_cause"]) for one in rows] == \
        [("2025-06-30", -7.5, "cost")]
    with open(page.with_name("acts.csv")) as told:
        assert [one["act"] for one in csv.DictReader(told)] == ["propose"]
    again = page.read_bytes(), page.with_name("sessions.parquet").read_bytes()
    assert (weekly.render(home, NOW.date()).read_bytes(), page.with_name("sessions.parquet").read_bytes()) == again


def test_an_older_week_is_told_as_it_stood(tmp_path):
    home = desk(tmp_path)
    Acts(home, "ann", "read it", NOW).approve(None)
    before = weekly.collect(home, dt.date(2025, 6, 12))
    assert before["holder"] == "<b>little" and before["waiting"] == [] and before["sessions"] == []
    now = weekly.collect(home, NOW.date())
    assert [(one["act"], one["by"], one["why"]) for one in now["acts"]] == [
        ("propose", "the gate", "Every question was answered."), ("promote", "ann", "read it")]
    assert now["waiting"] == []


def test_the_command_writes_it(tmp_path):
    home = desk(tmp_path)
    words = ["report", "--weekly", "--week", "2025-06-30", "--home", str(home.root)]
    done = CliRunner().invoke(cli.app, words)
    assert done.exit_code == 0 and "week-2025-27/index.html" in done.stdout.replace("\n", ""), done.output
