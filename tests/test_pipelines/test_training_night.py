"""What a whole night of the small market leaves of training: fits with figures, drift with its page, runs in MLflow."""

import json

from pipelines.home import Home
from pipelines.sqlite import reading
from pipelines.training import inputs as inputs_module
from pipelines.training.tracking import store_of


def test_every_family_was_fitted_by_fold_and_did_something(whole_night):
    section = Home(whole_night).read_section("training")
    folds = {name: family["folds"] for name, family in section["families"].items()}
    assert {name: len(told) for name, told in folds.items()} == {"hmm": 5, "gbm": 9, "gnn": 5}  # the final fit included
    assert section["trials"] == 20
    for name in ("gbm", "gnn"):
        skill = [fold["metrics"]["rank_ic"] for fold in folds[name] if fold["metrics"]]
        assert sum(skill) / len(skill) > 0.05  # the sandbox is strong on purpose
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
    with reading(store_of(Home(whole_night))) as store:
        children = store.execute("select count(*), count(distinct value) from tags where key = 'mlflow.parentRunId'")
        count, parents = children.fetchone()
        kinds = dict(store.execute("select value, count(*) from tags where key = 'nightdesk.kind' group by value"))
    store.close()
    judged = json.loads(Home(whole_night).section("judged").read_text())["strategies"]
    assert parents == 1 + 2 and count == 19 + 20 + len(judged)  # the night, and two fits with the trials before them
    assert kinds["fit"] == 19 and kinds["trial"] == 20


def test_scores_and_what_they_left_unexplained_are_watched_for_drift(whole_night):
    section = Home(whole_night).read_section("drift")
    assert set(section["predictions"]) == {"gbm scores", "gnn scores", "regime certainty"}
    assert {name.split()[0] for name in section["residuals"]} == {"gbm", "gnn"} and section["past_windows"] >= 8
    every = {**section["features"], **section["predictions"], **section["residuals"]}
    assert section["compared"] == len(every)
    assert set(section["alarms"]) == {name for name, one in every.items() if one["alarm"]}
    assert all(every[name]["p_value"] < 0.01 for name in section["alarms"])


def test_each_candidate_has_its_sheet_and_the_champion_its_price_tag(whole_night):
    home = Home(whole_night)
    told, tag, judged = (home.read_section(name) for name in ("tear_sheets", "price_tag", "judged"))
    candidates = {one["name"] for one in judged["strategies"] if one["kind"] == "candidate"}
    assert {one["name"] for one in told["sheets"]} == candidates and told["sheets"][0]["role"] == "Champion"
    page = (home.reports / told["sheets"][0]["path"]).read_text()
    assert "<script" not in page and "What carelessness would have added" in page
    night = told["sheets"][0]["path"].split("/")[0]
    assert "tear-sheets/" in (home.reports / night / "index.html").read_text()
    assert {path.name for path in (home.reports / night).glob("judged-*.parquet")} == {
        f"{name}.parquet" for name in told["files"]}
    added = {one["bias"]: one["added"] for one in [*tag["tags"], *tag["refitted"]["tags"]]}
    assert list(added) == ["zero_cost", "survivors_only", "unpurged", "hindsight"]
    assert added["zero_cost"] > 0.5  # turning a third of the book over a day is not free
    assert all(abs(added[bias]) < 0.3 for bias in ("survivors_only", "unpurged", "hindsight"))


def test_each_fit_was_an_event_of_the_run_as_it_was_done(whole_night):
    index = Home(whole_night).dagster / "history" / "runs" / "index.db"
    with reading(index) as events:
        seen = [event for (event,) in events.execute(
            "select event from event_logs where dagster_event_type = 'ASSET_OBSERVATION'")]
    events.close()
    told = {name: sum(f'"{name} f' in event for event in seen) for name in ("hmm", "gbm", "gnn")}
    assert told == {"hmm": 5, "gbm": 9, "gnn": 5}
