"""What the page of every asset tells after a night: rows and columns where it is a table, a picture where docs promise
one, a sentence for every check, and no warning on a healthy night. And the run where a person looks for it."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines import run
from pipelines.home import Home
from tests.test_pipelines.ui_served import ask, serving

pytestmark = [pytest.mark.deep, pytest.mark.browser, pytest.mark.xdist_group("pages")]
ASSETS = """{assetNodes {assetKey {path} groupName description isMaterializable kinds owners {__typename}
  assetChecksOrError {... on AssetChecks {checks {name description executionForLatestMaterialization {status}}}}
  assetMaterializations(limit: 1) {metadataEntries {__typename label
    ... on IntMetadataEntry {intValue} ... on MarkdownMetadataEntry {mdStr}
    ... on TableSchemaMetadataEntry {schema {columns {name description}}}}}}}"""
JOBS = """{pipelineOrError(params: {pipelineName: "nightly", repositoryName: "__repository__",
  repositoryLocationName: "nightdesk"}) {... on Pipeline {
  runs(limit: 1) {status repositoryOrigin {repositoryName}}}}}"""
POOLS = "{instance {concurrencyLimits {concurrencyKey slotCount}}}"
SWITCHES = """{repositoriesOrError {... on RepositoryConnection {nodes {
  schedules {name description defaultStatus} sensors {name description defaultStatus}}}}}"""

TABLES = ("facts/", "marts/", "features/", "training/panel", "validation/judged")
NO_COLUMNS = {"features/online"}  # a store by key: its rows are those of all views
PICTURES = {"marts/daily_bars": "picture", "marts/option_metrics": "picture", "training/hmm": "regimes",
            "training/gbm": "importances", "training/gnn": "skill", "validation/judged": "equity",
            "validation/baselines": "equity"}  # fmt: skip


@pytest.fixture(scope="module")
def served(whole_night: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = Home(Path(shutil.copytree(whole_night, tmp_path_factory.mktemp("told") / "home")))
    run.prepare_dagster_home(home)
    run.close_orphans(home)  # as `nightdesk ui` does before it serves
    with serving(home.root) as address:
        yield address


@pytest.fixture(scope="module")
def nodes(served: str) -> dict[str, Any]:
    return {"/".join(node["assetKey"]["path"]): node for node in ask(served, ASSETS)["assetNodes"]}


def told(node: dict[str, Any]) -> dict[str, Any]:
    return {entry["label"]: entry for entry in node["assetMaterializations"][0]["metadataEntries"]}


def test_no_page_shows_what_only_a_program_would_read(nodes: dict[str, Any]) -> None:
    shown = {name: told(node) for name, node in nodes.items() if node["isMaterializable"]}
    assert not [(name, label) for name, entries in shown.items() for label, entry in entries.items()
                if entry["__typename"] == "JsonMetadataEntry"]
    assert {"chosen", "folds", "learnt_from_sessions"} <= set(shown["training/gbm"])
    columns = shown["validation/judged"]["dagster/column_schema"]["schema"]["columns"]
    assert all(column["description"] for column in columns)


def test_every_asset_that_is_made_says_what_it_is_and_whose(nodes: dict[str, Any]) -> None:
    made = [name for name, node in nodes.items() if node["isMaterializable"]]
    assert len(made) > 60
    for name in made:
        node = nodes[name]
        assert node["owners"] and node["kinds"] and node["groupName"] and node["assetMaterializations"], name
        assert len(node["description"].partition("\n")[0]) > 40, name


def test_tables_have_rows_and_columns(nodes: dict[str, Any]) -> None:
    tables = [name for name in nodes if name.startswith(TABLES)]
    assert len(tables) > 38
    for name in tables:
        entries = told(nodes[name])
        assert entries["dagster/row_count"]["intValue"] >= 0, name
        if name not in NO_COLUMNS:
            assert len(entries["dagster/column_schema"]["schema"]["columns"]) > 3, name
        if name.startswith("features/") and name not in NO_COLUMNS:
            assert all(one["description"] for one in entries["dagster/column_schema"]["schema"]["columns"]), name
    made = [name for name, node in nodes.items() if node["assetMaterializations"]]
    counted = {name for name in made if "dagster/row_count" in told(nodes[name])}
    assert counted == set(tables)  # nothing that is no table calls itself one
    for name in (one for one in nodes if one.startswith("staging/")):
        assert told(nodes[name])["dagster/column_schema"]["schema"]["columns"], name


def test_pictures_stand_where_they_are_promised(nodes: dict[str, Any]) -> None:
    families = {name: "distributions" for name in nodes if name.startswith("features/") and name not in NO_COLUMNS}
    assert len(families) > 14
    for name, label in {**PICTURES, **families}.items():
        if name == "features/sentiment_v1":  # the small market has no index of fear
            assert told(nodes[name])[label]["mdStr"] == "No values yet."
            continue
        assert "(data:image/png;base64," in told(nodes[name])[label]["mdStr"], name


def test_every_check_asks_in_a_sentence_and_none_warns_of_a_healthy_night(nodes: dict[str, Any]) -> None:
    checks = [(name, one) for name, node in nodes.items() for one in node["assetChecksOrError"].get("checks", [])]
    assert len(checks) > 150
    for name, one in checks:
        assert one["description"], (name, one["name"])
        assert one["executionForLatestMaterialization"]["status"] == "SUCCEEDED", (name, one["name"])


def test_a_night_of_the_command_line_stands_at_its_job(served: str) -> None:
    (newest,) = ask(served, JOBS)["pipelineOrError"]["runs"]
    assert newest == {"status": "SUCCESS", "repositoryOrigin": {"repositoryName": "__repository__"}}


def test_switches_are_as_the_readme_says(served: str) -> None:
    (repository,) = ask(served, SWITCHES)["repositoriesOrError"]["nodes"]
    switches = {one["name"]: one for one in [*repository["schedules"], *repository["sensors"]]}
    assert all(one["description"] for one in switches.values()), json.dumps(switches)
    assert {name for name, one in switches.items() if one["defaultStatus"] == "RUNNING"} == {"failed_night"}


def test_the_pool_of_the_vendors_is_shown(served: str) -> None:
    assert ask(served, POOLS)["instance"]["concurrencyLimits"] == [
        {"concurrencyKey": run.VENDORS_POOL, "slotCount": 1}]
