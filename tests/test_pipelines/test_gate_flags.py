"""Bars that nobody measured, or that are others than last time, are said at the top of the page and in the graph."""

import datetime as dt
from dataclasses import replace

from pipelines import settings as settings_module
from pipelines.evidence import keys
from pipelines.evidence.judge import _gate
from pipelines.evidence.policy import policy_of
from pipelines.evidence.records import Records
from pipelines.home import Home
from pipelines.report.page import compose
from pipelines.report.story import Story
from tests import OWN
from tests.test_pipelines.report_story import story_sections

NOW = dt.datetime(2025, 7, 1, 6, tzinfo=dt.UTC)
UNMEASURED = "Nobody measured how often these bars promote noise"


def judged(home: Home, settings, number: int):
    content = {"act": "reject", "slot": "daily-equity", "strategy": "s", "key": "k", "night": number,
               "inputs": {"policy": policy_of(settings).told()}}
    return Records(home).append(content, {}, NOW, keys.open_or_create(home.keys))


def test_a_changed_policy_is_told_with_the_record_before_it(tmp_path):
    home = Home(tmp_path).prepare()
    usual, changed = (settings_module.load({"home": str(tmp_path), **more}, environment=OWN)
                      for more in ({}, {"gate": {"min_dsr": 0.9}}))
    assert _gate(judged(home, usual, 1), usual)["changed_since_record"] is None
    assert _gate(judged(home, usual, 2), usual) | {"calibration": ""} == {
        "preset": "default", "calibrated": True, "calibration": "", "changed_since_record": None}
    told = _gate(judged(home, changed, 3), changed)
    assert told["changed_since_record"] == 2 and told["calibrated"] is False
    assert "never calibrated" in told["calibration"]


def test_the_page_says_it_before_anything_else():
    sections = story_sections()
    story = Story(NOW, "sandbox", 7, sections)
    assert UNMEASURED not in compose(story) and "others than in record" not in compose(story)
    gate = {"preset": "default", "calibrated": False, "calibration": "x", "changed_since_record": 4}
    text = compose(replace(story, sections={**sections, "verdict": {**sections["verdict"], "gate": gate}}))
    header = text[text.index("<header") : text.index("</header>")]
    assert UNMEASURED in header and "others than in record 4" in header
