"""What asks for a run when no clock does, as the daemon would evaluate it."""

import datetime as dt
import json

import dagster as dg
import pytest

from pipelines import settings as settings_module
from pipelines.defs.promotion import sensors
from pipelines.home import Home
from pipelines.resources import HomeResource

MORNING = dt.datetime(2026, 3, 4, 6, 45, tzinfo=dt.UTC)


@pytest.fixture
def desk(tmp_path):
    """A home whose source is a folder of files: its nights are those of the wall clock."""
    told = {"home": str(tmp_path / "home"), "source": f"files:{tmp_path}"}
    return Home(settings_module.load(told).home).prepare(), HomeResource(overrides=json.dumps(told))


def _night(home, now, complete):
    home.work.mkdir(exist_ok=True)
    (home.work / "night.json").write_text(json.dumps(
        {"now": now.isoformat(), "sandbox_night": 0, "run_id": "one", "complete": complete}))


def _missed(resource, now=MORNING, instance=None):
    if instance is not None:
        return sensors.missed(resource, instance, now)
    with dg.instance_for_test() as fresh:
        return sensors.missed(resource, fresh, now)


def test_a_night_that_nobody_started_is_asked_for_once(desk):
    home, resource = desk
    _night(home, MORNING - dt.timedelta(days=1), complete=True)
    asked = _missed(resource)
    assert isinstance(asked, dg.RunRequest) and asked.run_key == "missed 2026-03-04"
    assert _missed(resource, MORNING + dt.timedelta(hours=9)).run_key == asked.run_key
    _night(home, MORNING, complete=True)
    assert isinstance(_missed(resource), dg.SkipReason)
    assert isinstance(_missed(resource, MORNING + dt.timedelta(hours=23)), dg.SkipReason)
    assert _missed(resource, MORNING + dt.timedelta(days=1)).run_key == "missed 2026-03-05"


def test_a_night_that_was_killed_is_missed_too_but_not_one_under_way(desk):
    home, resource = desk
    _night(home, MORNING - dt.timedelta(minutes=40), complete=False)
    assert isinstance(_missed(resource), dg.RunRequest)
    with dg.instance_for_test() as instance:
        instance.add_run(dg.DagsterRun(job_name="nightly", run_id="4f2a7c1e-0000-4000-8000-000000000000",
                                       status=dg.DagsterRunStatus.STARTED))
        assert "under way" in str(_missed(resource, instance=instance))


def test_the_first_night_and_the_sandbox_s_are_for_a_person(desk, tmp_path):
    _, resource = desk
    assert isinstance(_missed(resource), dg.SkipReason)
    sandbox = HomeResource(overrides=json.dumps({"home": str(tmp_path / "other")}))
    assert "sandbox" in str(_missed(sandbox))


def test_a_search_is_asked_for_once_an_alarm(desk):
    home, resource = desk
    assert isinstance(sensors.unwell(resource), dg.SkipReason)
    home.write_section("verdict", {"act": "refresh", "record_seq": 3})
    home.write_section("drift", {"alarms": ["iv30", "ret_1"]})
    first = sensors.unwell(resource)
    assert isinstance(first, dg.RunRequest) and "iv30" in first.run_key
    home.write_section("drift", {"alarms": ["ret_1", "iv30"]})
    assert sensors.unwell(resource).run_key == first.run_key
    home.write_section("decay", {"alarm": True, "record_seq": 1, "first_alarm": "2026-03-03"})
    assert "decay" in sensors.unwell(resource).run_key


def test_the_definitions_name_their_jobs_and_the_search_says_what_it_is():
    from pipelines.definitions import defs

    made = defs()
    asks = {one.name: one.job_name for one in made.sensors if one.name in ("missed_night", "search_when_unwell")}
    assert asks == {"missed_night": "nightly", "search_when_unwell": "search"}
    assert made.resolve_job_def("search").tags["nightdesk/search"] == "true"


def test_a_tick_looks_and_touches_nothing(desk, monkeypatch):
    home, _ = desk
    _night(home, MORNING, complete=True)
    before = (home.work / "night.json").read_bytes()
    monkeypatch.setenv("NIGHTDESK_HOME", str(home.root))
    monkeypatch.setenv("NIGHTDESK_SOURCE", f"files:{home.root}")
    with home.lock(), dg.instance_for_test() as instance:  # as while a night is under way
        for sensor in (sensors.missed_night, sensors.search_when_unwell):
            with dg.build_sensor_context(instance=instance) as context:
                sensor.evaluate_tick(context)
    assert (home.work / "night.json").read_bytes() == before
