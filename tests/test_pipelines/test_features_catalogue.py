"""The catalogue says of every feature what its declaration says, and of a home what its tables hold."""

import dataclasses
import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from models.features.registry import DAILY, FEATURES
from pipelines.cli import app
from pipelines.home import Home
from pipelines.report import catalogue as page
from pipelines.store import catalogue
from pipelines.store.sources import SOURCES


def test_every_declaration_is_in_the_catalogue_with_a_rule_of_availability() -> None:
    told = catalogue.entries()
    assert [one["ref"] for one in told] == [feature.ref for feature in FEATURES]
    for one, feature in zip(told, FEATURES, strict=True):
        assert one["formula"] == feature.description and one["look_back"] == feature.look_back
        assert one["inputs"] == list(feature.inputs) and one["availability"].endswith(catalogue.RESTATED)
        assert one["services"] == (["daily_equity_v1"] if feature.ref in DAILY else [])
    assert {fact for source in SOURCES.values() for fact in source.facts} <= set(catalogue.KNOWN_FROM)
    assert yaml.safe_load(catalogue.as_yaml(told[:30])) == {"features": told[:30]}


def test_figures_of_a_home_reach_the_page_and_its_words_are_escaped(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").prepare()
    figures = {"null_share": 0.25, "p01": -0.5, "p99": 0.75, "histogram": {"counts": [1, 5, 2]}}
    home.write_section("features", {"families": {"equity_v1": {"features": {"ret_1": figures}}}})
    told = catalogue.entries(home)
    assert told[0]["distribution"] == figures and "distribution" not in told[1]
    evil = catalogue.entry(dataclasses.replace(FEATURES[0], description="<script>1 < 2</script>."), figures)
    shown = page.compose([evil, *told[1:]])
    assert "<script" not in shown and "&lt;script&gt;1 &lt; 2" in shown and 'aria-label="Shape of ret_1"' in shown
    assert "25.0 %" in shown and "http" not in shown
    text = catalogue.as_yaml(told)
    assert "histogram:" not in text and "counts:" not in text and "null_share: 0.25" in text
    assert page.compose(told) == page.compose(catalogue.entries(home))


def test_both_versions_of_a_feature_stand_in_it() -> None:
    shown = page.compose(catalogue.entries())
    assert 'id="technical_v1:rsi"' in shown and 'id="technical_v2:rsi"' in shown
    assert "No home was there" in shown


def test_the_command_writes_files_and_one_document(tmp_path: Path) -> None:
    from pipelines.commands import features

    features.catalogue(False, None, tmp_path / "f.yaml", tmp_path / "f.html")
    assert (tmp_path / "f.yaml").read_text().count("- name: ") == len(FEATURES)
    assert (tmp_path / "f.html").read_text().startswith("<!doctype html>")
    with pytest.raises(FileNotFoundError, match="no home at"):
        features.catalogue(True, tmp_path / "nowhere", None, None)
    Home(tmp_path / "home").prepare()
    ran = CliRunner().invoke(app, ["features", "list", "--json", "--home", str(tmp_path / "home")])
    assert [one["ref"] for one in json.loads(ran.stdout)] == [feature.ref for feature in FEATURES]
