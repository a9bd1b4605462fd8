"""Training: every fold of every family with its rows and seconds, the chosen parameters, what the trees lean on."""

from collections.abc import Mapping
from typing import Any

from pipelines.report import words
from pipelines.report.charts import meter
from pipelines.report.html import Html, caption, note, paragraph, tag
from pipelines.report.parts.part import Part, table
from pipelines.report.story import Story, Tone

TITLES = {"hmm": "Regimes (HMM)", "gbm": "Trees (LightGBM)", "gnn": "Graph attention (GNN)"}
METRICS = {"rank_ic": "rank IC", "rank_ic_t": "t of rank IC", "last_loss": "last loss"}
MOST_IMPORTANT = 8


def _families(story: Story) -> Mapping[str, dict[str, Any]]:
    return story.get("training").get("families") or {}


def status(story: Story) -> tuple[Tone, str]:
    folds = [fold for family in _families(story).values() for fold in family.get("folds") or []]
    cached = sum(bool(fold.get("cached")) for fold in folds)
    return "good", words.plural(len(folds), "fit") + (f", {cached} kept" if cached else "")


def _metric(key: str, value: Any) -> str:
    return words.percent(value, 0) if key.startswith("share_") else words.figure(value)


def _span(fold: Mapping[str, Any]) -> list[Any]:
    judged = words.span(fold.get("first_session"), fold.get("last_session"))
    return ["For the bundle" if fold.get("final") else judged]


def _folds(family: Mapping[str, Any]) -> Html:
    folds = family.get("folds") or []
    metrics = list(dict.fromkeys(key for fold in folds for key in fold.get("metrics") or {}))
    rows = []
    for fold in folds:
        told, spent = fold.get("metrics") or {}, "kept" if fold.get("cached") else words.duration(fold.get("seconds"))
        figures = [_metric(key, told.get(key)) for key in metrics]
        rows.append([_span(fold), words.count(fold.get("train_rows")), spent, *figures])
    names = [METRICS.get(key) or key.removeprefix("share_").replace("_", " ") for key in metrics]
    return table(["Judged on", "sessions learnt from", "time", *names], rows)


MEASURES = {"permutation": "rank IC lost when dealt anew", "shap": "share of SHAP", "forest": "share in a forest"}


def _importances(family: Mapping[str, Any]) -> list[Html]:
    told = family.get("importances") or {}
    explained = family.get("explained") or {}
    asked = {key: explained[key] for key in MEASURES if explained.get(key)}
    ordered = sorted(((words.finite(v) or 0.0, k) for k, v in told.items()), key=lambda item: (-item[0], item[1]))
    total = sum(value for value, _ in ordered) or 1.0
    if not ordered:
        return []

    def said(key: str, name: str) -> str:
        value = words.finite(asked[key].get(name))
        whole = sum(abs(words.finite(one) or 0.0) for one in asked[key].values()) or 1.0
        return words.figure(value) if key == "permutation" else words.percent((value or 0.0) / whole)

    rows = []
    for value, name in ordered[:MOST_IMPORTANT]:
        others = [said(key, name) for key in asked]
        rows.append([tag("code", name), meter(value / ordered[0][0] if ordered[0][0] else 0.0),
                     words.percent(value / total), *others])
    heads = ["What the trees lean on", "", "share of gain", *(MEASURES[key] for key in asked)]
    return [table(heads, rows, words=2)]


def _names_kept(family: Mapping[str, Any]) -> list[Html]:
    shares = [words.finite(one.get("share")) for one in family.get("agreement") or []]
    known = [share for share in shares if share is not None]
    if not known:
        return []
    each = ", ".join(words.percent(share, 0) for share in known)
    return [paragraph(
        f"Each refit gives a session the name that the fit before it gave: {each} of the sessions known by then. Low "
        "figures mean that the market has no four regimes that last, or, with ", tag("code", "hmm.naming = extremes"),
        ", that names hang on a hair of mean return; ", tag("code", "corners"), " names by where a regime lies.")]


def _family(name: str, family: Mapping[str, Any]) -> list[Html]:
    parameters = family.get("chosen_params") or {}
    chosen = (
        [
            paragraph(
                "Chosen: ",
                [[tag("code", f"{key} = {words.figure(value)}"), " "] for key, value in sorted(parameters.items())],
                class_="chips",
            )
        ]
        if parameters
        else []
    )
    drawn = _folds(family) if family.get("folds") else note(family.get("skipped") or "No folds.")
    return [tag("h3", TITLES.get(name, name)), *chosen, drawn, *_importances(family), *_names_kept(family)]


def draw(story: Story) -> list[Html]:
    training = story.get("training")
    parts = [part for name, family in sorted(_families(story).items()) for part in _family(name, family)]
    trials = training.get("trials")
    told = (
        f"{words.plural(trials, 'tuning trial')} inside the training folds; they choose "
        "parameters and never count as evidence. "
        if words.finite(trials) is not None
        else ""
    )
    experiment = training.get("mlflow_experiment")
    where = f"Runs are in MLflow’s experiment “{experiment}”." if experiment else ""
    return [
        *parts,
        caption(told + where + " Each fold is trained only on labels that had ended before its first session."),
    ]


PART = Part("training", "Training", "Training", "training", "no model was fitted", status, draw)
