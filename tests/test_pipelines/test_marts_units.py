"""Each mart's rules on rows written for them: dbt's own unit tests, run over models that stand and hold nothing."""

from pathlib import Path

from pipelines.lake import dbt_project, facts_view
from tests.test_pipelines.small_lake import SmallLake

# Of SQL models; what Python models call has its tests in tests/test_models.
WITH_RULES = {
    "corporate_actions", "daily_bars", "futures_bars", "futures_trades", "index_levels", "instruments",
    "market_statistics", "minute_bars", "option_quotes", "quarantine", "stg_actions", "stg_bar_owners",
    "stg_companies", "stg_decisions", "stg_equity_bars", "stg_listings", "stg_universe_decided", "universe",
}  # fmt: skip


def test_models_say_of_given_rows_what_they_should(tmp_path: Path) -> None:
    home = SmallLake().write(tmp_path / "desk")
    work = tmp_path / "dbt"
    work.mkdir()
    facts_view.create(work / dbt_project.DATABASE, home.facts, home.quarantine, None)
    assert all(one.good for one in dbt_project.run(work, tests=False))
    told = dbt_project.run_unit_tests(work)
    assert {one.name: one.message for one in told if one.status != "pass"} == {}
    assert {one.unique_id.split(".")[2] for one in told} == WITH_RULES
