"""Every judged candidate and tuning trial of a night is found from its MLflow run, and a row that is gone is missed."""

import json
import shutil

import pytest

from pipelines.evidence import health
from pipelines.evidence.ledger import GENESIS, Ledger, Trial, _line
from pipelines.home import Home
from pipelines.training import counted, tracking
from pipelines.training.candidates import TARGET
from tests.test_pipelines.training_home import NOW, small_home, small_inputs, small_settings

SEARCH = "s" * 64


@pytest.fixture(scope="module")
def tracked(tmp_path_factory):
    home, ledger = small_home(tmp_path_factory.mktemp("counted"))
    inputs = small_inputs()
    ledger.register_many([Trial("inner", TARGET, f"p{at}", 7, {"search": SEARCH, "trial": at}) for at in range(2)], NOW)
    ledger.register("outer", TARGET, "k" * 64, 7, {"name": "ensemble", "data": inputs.digest()}, NOW)
    fold = {"first_session": "2024-01-02", "last_session": "2024-03-28", "train_rows": 250, "train_last": "2023-12-20",
            "seconds": 0.1, "cached": False, "digest": "d" * 64, "params": {}, "curve": [], "metrics": {},
            "final": False, "search": SEARCH}
    trials = [{"search": SEARCH, "trial": at, "params": {}, "rank_ic": 0.01 * at} for at in range(2)]
    home.write_section("training", {"trials": 2, "families": {"gbm": {"folds": [fold], "searches": [trials]}}})
    home.write_section("judged", {"strategies": [{"name": "ensemble", "key": "k" * 64, "kind": "candidate"}]})
    assert tracking.track(home, small_settings(), inputs, NOW) == 5
    return home


def test_every_row_has_its_run_and_every_run_its_row(tracked):
    from mlflow.tracking import MlflowClient

    ledger = Ledger(tracked.ledger)
    runs = counted.runs_of_rows(tracked)
    assert set(runs) == {row["identity"] for row in ledger.rows()} and counted.lost(tracked, ledger) == []
    client = MlflowClient(tracking_uri=f"sqlite:///{tracking.store_of(tracked)}")
    named = {row["detail"].get("name", f"gbm trial {row['detail'].get('trial', 0) + 1}"): row["identity"]
             for row in ledger.rows()}
    assert {client.get_run(runs[identity]).info.run_name: identity for identity in runs} == named


def test_a_row_taken_out_and_the_chain_made_whole_again_is_still_missed(tracked, tmp_path):
    home = Home(shutil.copytree(tracked.root, tmp_path / "home"))
    ledger = Ledger(home.ledger)
    assert health.ledger_clean(home, ledger)
    kept = [Trial(row["kind"], row["target"], row["config_key"], row["seed"], row["detail"])
            for row in ledger.rows() if row["config_key"] != "k" * 64]
    lines, head = [], GENESIS
    for number, trial in enumerate(kept):
        line, head = _line(trial, number, head, NOW)
        lines.append(line)
    ledger.path.write_bytes(b"".join(lines))
    ledger.anchor.write_text(json.dumps({"rows": len(kept), "head": head}))
    forged = Ledger(home.ledger)
    assert forged.verify() == 2 and len(counted.lost(home, forged)) == 1
    assert not health.ledger_clean(home, forged)


def test_a_home_without_runs_misses_nothing(tmp_path):
    home, ledger = small_home(tmp_path)
    assert counted.runs_of_rows(home) == {} and counted.lost(home, ledger) == []
    home.mlflow.mkdir(parents=True)
    (home.mlflow / "mlflow.db").touch()
    assert counted.runs_of_rows(home) == {}
