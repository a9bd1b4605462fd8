"""`nightdesk validate`: a line a system, and a system that does not do its work is a FAIL that says why."""

import json

from typer.testing import CliRunner

from pipelines import cli, durable, validate
from pipelines import settings as settings_module
from pipelines.evidence import inventory, keys
from pipelines.evidence.records import Records
from pipelines.home import Home
from pipelines.trading import KILL_FILE
from tests import OWN


def test_an_empty_home_says_which_systems_have_nothing_to_work_with(tmp_path):
    home = Home(tmp_path / "home").prepare()
    (home.root / KILL_FILE).write_text("")
    narrow = settings_module.load({"sandbox": {"names": 8}}, environment=OWN)  # another market than the fetcher's
    durable.write_json(home.root / settings_module.MARKET, settings_module.market_of(narrow))
    done = CliRunner().invoke(cli.app, ["validate", "--json", "--home", str(home.root)])
    told = {one["system"]: one for one in json.loads(done.stdout)}
    assert done.exit_code == 1 and set(told) == set(validate.SYSTEMS)
    assert [name for name, one in told.items() if not one["passed"]] == ["data", "predictive cache", "risk management"]
    assert "kill switch is thrown" in told["risk management"]["seen"]
    assert told["parallel fetcher"]["seen"].startswith("4 symbols side by side")


def test_a_figure_that_does_not_come_out_again_is_named(tmp_path):
    home = Home(tmp_path).prepare()
    assert inventory.recompute(home) == {"verdicts": "none yet"}
    content = {"act": "promote", "slot": "daily-equity", "strategy": "s", "key": "k", "inputs": {"code": "older"},
               "verdict": {"checks": [], "figures": {"psr": 1.0}}}
    Records(home).append(content, {}, _now(), keys.open_or_create(home.keys))
    assert inventory.recompute(home) == {"verdicts": "none yet (1 by other code do not)"}
    assert inventory._close([{"value": 1.0}], [{"value": 1.0 + 5e-10}])
    assert not inventory._close([{"value": 1.0}], [{"value": 1.0 + 5e-9}])
    assert not inventory._close([{"value": 1.0}], [{"value": None}]) and not inventory._close([1.0], [])


def _now():
    import datetime as dt

    return dt.datetime(2025, 7, 1, 6, tzinfo=dt.UTC)
