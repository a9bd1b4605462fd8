"""Where the nightly's page takes its story from, and that it is made as an asset with its checks."""

import datetime as dt
import json
from pathlib import Path

import dagster as dg

from pipelines.home import Home
from pipelines.report.page import tell
from pipelines.settings import Settings
from tests.test_pipelines.report_story import story_sections

NOW = dt.datetime(2025, 7, 1, 6, tzinfo=dt.UTC)


def test_the_story_is_read_from_the_home(tmp_path: Path) -> None:
    desk, sections = Home(tmp_path).prepare(), story_sections()
    for name, section in sections.items():
        desk.write_section(name, section)
    assert tell(desk, Settings(home=tmp_path), NOW).sections == sections


def test_a_section_of_another_night_is_not_told_as_tonights(tmp_path: Path) -> None:
    desk, sections = Home(tmp_path).prepare(), story_sections()
    for name, section in sections.items():
        desk.write_section(name, {**section, "now": (NOW if name == "ingest" else NOW.replace(day=2)).isoformat()})
    assert set(tell(desk, Settings(home=tmp_path), NOW).sections) == {"ingest"}


def test_the_asset_and_its_checks_run_in_dagster(tmp_path: Path) -> None:
    from pipelines import night
    from pipelines.defs.reporting import assets, checks
    from pipelines.resources import HomeResource

    desk = Home(tmp_path).prepare()
    night.settle(Settings(home=tmp_path, now=NOW), desk, "")
    for name, section in story_sections().items():
        desk.write_section(name, {} if name == "drift" else section)
    overrides = json.dumps({"home": str(tmp_path), "now": NOW.isoformat()})
    with dg.instance_for_test() as instance:
        ran = dg.materialize(
            [assets.nightly_report, checks.every_chapter_is_told, checks.page_stands_alone],
            resources={"home": HomeResource(overrides=overrides)}, instance=instance,
        )  # fmt: skip
    assert ran.success
    found = {one.check_name: one.passed for one in ran.get_asset_check_evaluations()}
    assert found == {"every_chapter_is_told": False, "page_stands_alone": True}
    (made,) = ran.asset_materializations_for_node("reporting__nightly_report")
    assert made.metadata["verdict"].value == "Promoted: ensemble-g30-h5 may trade from the next session."
