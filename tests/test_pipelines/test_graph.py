"""The graph as it is declared: every asset says what it is, whose, of what kind and how fresh it has to be; a night is
asked for at 06:00 UTC, and all of history is one run."""

import datetime as dt
import warnings
from typing import Any

import pytest

pytestmark = pytest.mark.deep
DOMAINS = {"vendor": "ingest", "facts": "ingest", "staging": "warehouse", "marts": "warehouse", "features": "features",
           "training": "training", "validation": "validation", "promotion": "promotion", "reporting": "reporting"}


@pytest.fixture(scope="module")
def declared() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pipelines.definitions import defs

        return defs()


@pytest.fixture(scope="module")
def nodes(declared: Any) -> list[Any]:
    graph = declared.resolve_asset_graph()
    return [graph.get(key) for key in sorted(graph.get_all_asset_keys())]


def test_every_asset_says_what_it_is_and_whose(nodes: list[Any]) -> None:
    assert len(nodes) > 60
    for node in nodes:
        name = node.key.to_user_string()
        assert node.group_name == DOMAINS[node.key.path[0]], name
        assert node.owners == ["team:nightdesk"] and node.kinds, name
        assert node.description and len(node.description) > 20 and node.description[0].isupper(), name


def test_what_is_ours_is_expected_anew_every_night(nodes: list[Any]) -> None:
    for node in nodes:
        policy = node.freshness_policy
        if node.key.path[0] == "vendor":
            assert policy is None and not node.is_materializable
        else:
            assert policy.warn_window.to_timedelta() < policy.fail_window.to_timedelta() == dt.timedelta(hours=48)


def test_feeds_have_a_partition_a_session_and_all_of_history_is_one_run(nodes: list[Any]) -> None:
    for node in nodes:
        if node.key.path[0] == "vendor":
            days = node.partitions_def
            assert days.has_partition_key("2003-09-10") and days.has_partition_key("2025-07-01")
            assert not days.has_partition_key("2025-06-29")
        else:
            assert node.partitions_def is None, node.key  # so that a backfill cannot be a run a day
    assert {node.key.path[-1]: node.pools for node in nodes if node.key.path[0] == "facts"} == {
        vendor: {"vendors"} for vendor in ("polygon", "cboe", "cme")}


def test_everything_hangs_together(nodes: list[Any]) -> None:
    names = {node.key for node in nodes}
    for node in nodes:
        assert node.parent_keys <= names and node.is_executable == (node.key.path[0] != "vendor"), node.key
        assert node.parent_keys or node.key.path[0] == "vendor", node.key


def test_the_night_is_at_six_and_driven_by_state(declared: Any) -> None:
    schedules = {one.name: (one.cron_schedule, one.execution_timezone) for one in declared.schedules}
    assert schedules == {"nightly_schedule": ("0 6 * * *", "UTC"), "search_schedule": ("0 7 * * 6", "UTC")}
    jobs = {job.name: job for job in declared.resolve_all_job_defs() if not job.name.startswith("__")}
    assert set(jobs) == {"nightly", "search"}
    assert {sensor.name for sensor in declared.sensors} >= {"missed_night", "failed_night"}
    graph = declared.resolve_asset_graph()
    assert all(graph.get(key).automation_condition is None for key in graph.get_all_asset_keys())


def test_checks_of_every_domain_can_stop_or_warn(declared: Any) -> None:
    graph = declared.resolve_asset_graph()
    checked = {key.asset_key.path[0] for key in graph.asset_check_keys}
    assert checked >= set(DOMAINS) - {"vendor", "staging", "training"}
