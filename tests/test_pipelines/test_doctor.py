"""The doctor over homes in every state: what it finds, what it advises, and that it shows no key."""

import fcntl
import json
import os
from pathlib import Path
from typing import Any

import pytest

from pipelines import doctor, sandbox
from pipelines.home import Home
from tests.test_pipelines.small_market import small_market


def examined(folder: Path, environment: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    overrides = {"home": str(folder), **more.pop("overrides", {})}
    return doctor.examine(overrides, {"NIGHTDESK_CONFIG": str(folder / "none"), **(environment or {})}, **more)


def finding(told: dict[str, Any], name: str) -> dict[str, str]:
    return next(one for one in told["findings"] if one["name"] == name)


def test_a_folder_without_a_home_is_healthy_and_told_what_to_do(tmp_path: Path) -> None:
    told = examined(tmp_path / "new")
    assert told["healthy"] and not (tmp_path / "new").exists()
    assert "nightdesk nightly" in finding(told, "home")["advice"]
    assert finding(told, "key polygon")["state"] == "ok"


def test_a_vendors_source_without_keys_is_a_problem_that_names_the_variables(tmp_path: Path) -> None:
    told = examined(tmp_path, overrides={"source": "vendors"})
    assert not told["healthy"]
    assert finding(told, "key polygon")["advice"] == "set MASSIVE_API_KEY or POLYGON_API_KEY for equities"
    assert "accept_terms=cboe" in finding(told, "terms")["advice"]
    assert finding(told, "key cme")["advice"] == "set DATABENTO_API_KEY for futures"
    told = examined(tmp_path, overrides={"source": "vendors", "coverage": {"roots": ""}})
    assert finding(told, "key cme")["state"] == "ok" and "without roots" in finding(told, "key cme")["found"]


def test_keys_are_said_to_be_there_and_never_shown(tmp_path: Path) -> None:
    told = examined(tmp_path, {"POLYGON_API_KEY": "canary-one", "DATABENTO_API_KEY": "canary-two"},
                    overrides={"source": "vendors", "coverage": {"accept_terms": "cboe"}})  # fmt: skip
    assert finding(told, "key polygon")["found"] == "POLYGON_API_KEY is set"
    assert finding(told, "entitlements")["state"] == "untested"
    assert told["healthy"] and "canary" not in json.dumps(told)


def test_what_vendors_did_not_give_is_a_problem_until_they_do(tmp_path: Path) -> None:
    home = Home(tmp_path).prepare()
    for failed in ({"cme, futures trades": "cme answered 403: Not licensed"}, {}):
        home.write_section("ingest", {"failed": failed})
        told = examined(tmp_path)
        assert told["healthy"] == (not failed)
        assert [one["found"] for one in told["findings"] if one["name"] == "not had"] == [
            f"{what}: {why}" for what, why in failed.items()]


def test_settings_come_with_their_origin(tmp_path: Path) -> None:
    file = tmp_path / "nightdesk.toml"
    file.write_text("seed = 3\nthreads = 1\n[gate]\nmin_dsr = 0.9\n")
    environment = {"NIGHTDESK_CONFIG": str(file), "NIGHTDESK_THREADS": "4", "NIGHTDESK_COVERAGE__SYMBOLS": "AAPL, MSFT"}
    told = examined(tmp_path, environment, overrides={"sandbox": {"signal": "zero"}})["settings"]
    assert told["seed"] == {"value": 3, "origin": f"file {file}"}
    assert told["gate.min_dsr"]["origin"] == f"file {file}"
    assert told["threads"] == {"value": 4, "origin": "environment"}
    assert told["coverage.symbols"] == {"value": ["AAPL", "MSFT"], "origin": "environment"}
    assert told["sandbox.signal"] == {"value": "zero", "origin": "option"}
    assert told["gate.min_trials"]["origin"] == "default"


def test_a_home_in_use_of_another_layout_or_from_the_future_is_told(tmp_path: Path) -> None:
    home = Home(tmp_path).prepare()
    home.write_section("ingest", {})
    with home.lock():
        held = finding(examined(tmp_path), "lock")
        assert str(os.getpid()) in held["found"]
    assert finding(examined(tmp_path), "lock")["found"] == "nobody writes"
    with open(tmp_path / "lock") as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)  # looking has not left a lock behind
    os.utime(home.section("ingest"), (4e9, 4e9))
    assert finding(examined(tmp_path), "clock")["state"] == "problem"
    (tmp_path / "layout.json").write_text('{"layout": 99}')
    told = examined(tmp_path)
    assert finding(told, "home")["state"] == "problem" and not told["healthy"]


def test_a_signing_key_that_others_can_read_is_a_problem(tmp_path: Path) -> None:
    home = Home(tmp_path).prepare()
    home.keys.mkdir()
    (home.keys / "signing.key").write_text("secret")
    (home.keys / "signing.key").chmod(0o644)
    assert finding(examined(tmp_path), "signing key")["advice"].startswith("chmod 600")


def test_a_night_that_stopped_is_told(tmp_path: Path) -> None:
    home = Home(tmp_path).prepare()
    home.work.mkdir()
    night = {"now": "2025-07-01T06:00:00+00:00", "complete": False}
    (home.work / "night.json").write_text(json.dumps(night))
    assert "nightdesk nightly" in finding(examined(tmp_path), "last night")["advice"]
    (home.work / "night.json").write_text(json.dumps({**night, "complete": True}))
    assert finding(examined(tmp_path), "last night")["state"] == "ok"
    stale = finding(examined(tmp_path, overrides={"source": "vendors"}), "last night")
    assert stale["state"] == "advice"


def test_pins_are_those_of_this_machine() -> None:
    text = "# why\nnumpy==2.3.1 ; python_full_version < '3.0'\nnumpy==2.4.0 ; python_full_version >= '3.0'\nx==1\n"
    assert doctor.pins(text) == {"numpy": "2.4.0", "x": "1"}


def test_a_plan_is_asked_for_each_kind_that_is_covered(tmp_path: Path) -> None:
    """The embedded vendor pictures no chains, as a plan without options would not."""
    market = small_market()
    with sandbox.serve(market, market.night_now(0)) as served:
        environment = {"POLYGON_API_KEY": served.key, "POLYGON_BASE_URL": served.polygon}
        told = examined(tmp_path, environment, online=True,
                        overrides={"source": "vendors", "coverage": {"snapshots": ["ZZZ"]}})  # fmt: skip
    assert finding(told, "plan days")["state"] == finding(told, "plan lists")["state"] == "ok"
    refused = finding(told, "plan pictures of chains")
    assert refused["state"] == "problem" and "404" in refused["found"] and "coverage" in refused["advice"]


@pytest.mark.parametrize(("key", "healthy"), [(None, True), ("wrong", False)])
def test_online_each_vendor_is_asked_one_question(tmp_path: Path, key: str | None, healthy: bool) -> None:
    market = small_market()
    with sandbox.serve(market, market.night_now(0)) as served:
        environment = {
            "POLYGON_API_KEY": key or served.key, "DATABENTO_API_KEY": key or served.key,
            "POLYGON_BASE_URL": served.polygon, "DATABENTO_BASE_URL": served.databento,
        }  # fmt: skip
        told = examined(tmp_path, environment, online=True)
    for vendor in ("polygon", "cme"):
        found = finding(told, f"entitlement {vendor}")
        assert found["state"] == ("ok" if healthy else "problem")
        if healthy:
            assert finding(told, f"clock against {vendor}")["state"] == "ok"
        else:
            assert "401" in found["found"] and "wrong" not in found["found"]
