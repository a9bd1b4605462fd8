"""What a whole default night leaves of training: fits with figures, drift with its page, runs in MLflow."""

import json
import sqlite3

from pipelines.home import Home
from pipelines.training import inputs as inputs_module
from pipelines.training.tracking import store_of


def test_every_family_was_fitted_by_fold_and_did_something(whole_night):
    section = Home(whole_night).read_section("training")
    folds = {name: family["folds"] for name, family in section["families"].items()}
    assert {name: len(told) for name, told in folds.items()} == {"hmm": 5, "gbm": 9, "gnn": 5}  # the final fit included
    assert section["trials"] == 20
    for name in ("gbm", "gnn"):
        skill = [fold["metrics"]["rank_ic"] for fold in folds[name] if fold["metrics"]]
        assert sum(skill) / len(skill) > 0.05  # the default sandbox is strong on purpose
    assert all(abs(sum(fold["metrics"].values()) - 1.0) < 1e-9 for fold in folds["hmm"] if fold["metrics"])


def test_the_panel_covers_the_coming_session_and_dead_names(whole_night):
    told = inputs_module.load(Home(whole_night))
    assert told.labelled == len(told.panel.sessions) - 2
    dead = told.panel.tradable.any(axis=0) & ~told.panel.tradable[-1]
    assert dead.sum() == 1


def test_drift_has_figures_and_a_page_that_needs_no_network(whole_night):
    home = Home(whole_night)
    section = home.read_section("drift")
    assert "ret_1" in section["features"] and section["current_sessions"] == 63
    page = (home.reports / section["evidently_html"]).read_text()
    assert "zscore_20" in page and 'src="http' not in page


def test_mlflow_holds_a_night_with_its_fits_and_candidates_under_it(whole_night):
    with sqlite3.connect(f"file:{store_of(Home(whole_night))}?mode=ro", uri=True) as store:
        children = store.execute("select count(*), count(distinct value) from tags where key = 'mlflow.parentRunId'")
        count, parents = children.fetchone()
        kinds = dict(store.execute("select value, count(*) from tags where key = 'nightdesk.kind' group by value"))
    store.close()
    judged = json.loads(Home(whole_night).section("judged").read_text())["strategies"]
    assert parents == 1 + 2 and count == 19 + 20 + len(judged)  # the night, and two fits with the trials before them
    assert kinds["fit"] == 19 and kinds["trial"] == 20
