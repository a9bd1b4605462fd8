"""The warehouse in the graph: one step, dbt's tests as checks, and nothing built on bars that look wrong."""

import json
import re
import warnings
from pathlib import Path
from typing import Any

import pytest

from pipelines import calendars
from pipelines.home import Home
from tests.test_pipelines.small_lake import SmallLake, day

DAYS = calendars.sessions(day("2025-01-06"), day("2025-02-14"))


def _lake(*, silent: bool) -> SmallLake:
    lake = SmallLake()
    for ticker in ("AAA", "BBB", "CCC"):
        lake.company(ticker, ("2020-01-02", ticker))
        for session in DAYS:
            lake.bar(ticker, session, 20.0, volume=0.0 if silent else 1e6)
    return lake


def _materialize(home: Home) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import dagster as dg

        from pipelines.defs.warehouse import assets, checks
        from pipelines.resources import HomeResource

        @dg.multi_asset(specs=[dg.AssetSpec(["facts", vendor]) for vendor in ("polygon", "cboe", "cme")])
        def landed():  # type: ignore[no-untyped-def]
            for vendor in ("polygon", "cboe", "cme"):
                yield dg.MaterializeResult(asset_key=["facts", vendor])

        overrides = json.dumps({"home": str(home.root), "now": "2025-07-01T06:00:00Z"})
        return dg.materialize(
            [landed, assets.warehouse, *checks.expectation_checks],
            resources={"home": HomeResource(overrides=overrides)}, raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )  # fmt: skip


@pytest.fixture(autouse=True)
def _no_settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_marts_are_assets_with_versions_checks_and_rows(tmp_path: Path) -> None:
    home = _lake(silent=False).write(tmp_path / "desk")
    runs = [_materialize(home), _materialize(home)]
    told = []
    for run in runs:
        assert run.success
        evaluations = run.get_asset_check_evaluations()
        assert all(one.passed for one in evaluations) and len(evaluations) > 30
        events = [e.step_materialization_data.materialization for e in run.get_asset_materialization_events()]
        told.append({e.asset_key.to_user_string(): e for e in events})
    first, again = told
    assert {key: e.tags["dagster/data_version"] for key, e in first.items() if key.startswith("marts/")} == {
        key: e.tags["dagster/data_version"] for key, e in again.items() if key.startswith("marts/")
    }
    bars = first["marts/daily_bars"]
    assert bars.metadata["dagster/row_count"].value == 3 * len(DAYS)
    assert bars.metadata["picture"].value.startswith("![growth of 1 per instrument](data:image/png;base64,")
    assert first["staging/equity_bars"].tags["dagster/data_version"]
    section = home.read_section("warehouse")
    assert section["unchanged"] and section["marts"]["daily_bars"]["rows"] == 3 * len(DAYS)
    assert section["tests"]["failed"] == []


def test_bars_that_look_wrong_stop_the_night(tmp_path: Path) -> None:
    home = _lake(silent=True).write(tmp_path / "desk")
    run = _materialize(home)
    assert not run.success
    failed = [one for one in run.get_asset_check_evaluations() if not one.passed]
    assert [one.check_name for one in failed] == ["equity_bars_look_like_a_market"]
    assert failed[0].metadata["failed"].value == "expect_column_values_to_be_between volume"
    page = Path(failed[0].metadata["data_docs"].value).read_text()
    assert "volume" in page and "Failed" in page
    assert not re.search(r"https?://|<script|<link", page)  # it opens without any network
    assert not (home.marts / "current").exists()
