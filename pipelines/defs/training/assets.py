"""Training: one panel of what was known at each decision, three families fitted by fold, and their runs in MLflow."""

from collections.abc import Callable
from typing import Any

import dagster as dg

from models.features.registry import FEATURES
from pipelines.defs.tables import pairs, table
from pipelines.resources import HomeResource

OWNERS = ["team:nightdesk"]
PANEL_OF = ("equity_v1", "options_v1", "futures_v1")
WORTH_A_PROCESS = 40_000  # labels: of so many, fits are shared out among two cores, and the other begins to load
FITTED_WITH = ("models.hmm.fit", "models.gbm.fit", "models.gnn.fit", "lightgbm", "torch_geometric.nn")
RULES_OF = ("technical_v1", "statistical_v1", "garch_v1")  # read where rules compete


@dg.asset(
    key=["training", "panel"],
    deps=[*(dg.AssetKey(["features", view]) for view in (*PANEL_OF, *RULES_OF)),
          dg.AssetKey(["marts", "daily_bars"]), dg.AssetKey(["marts", "borrow_list"])],
    group_name="training",
    kinds={"feast", "numpy"},
    owners=OWNERS,
    description="Features as known 30 minutes before each open, dead names included, with the return from that open to "
                "the next one beside them.",
)
def panel(home: HomeResource) -> dg.MaterializeResult[Any]:
    from pipelines import beside
    from pipelines.progress import say, step
    from pipelines.store.frame import decision_panel
    from pipelines.training import enough, inputs
    from pipelines.training.baselines_panel import with_chosen
    from pipelines.training.folds import fold_begins
    from pipelines.training.prices import label_returns, read_prices, revisions

    desk, now = home.home(), home.now()
    with step("training panel"):
        known = with_chosen(desk, home.settings(), decision_panel(desk, now=now), now)
        returns = label_returns(read_prices(desk, now, known), known) if known.names else known.tradable.astype(float)
        told = inputs.Inputs(known, returns)
        if known.names:
            begins = fold_begins(home.settings().training, told.labelled)
            told = inputs.Inputs(known, returns, revisions(desk, now, known, returns, begins))
        if inputs.save(desk, told) and told.labelled * len(known.names) >= WORTH_A_PROCESS:
            beside.start(FITTED_WITH)
    if why := enough.lacking(home.settings(), told):
        say(f"    {why}")
    return dg.MaterializeResult(
        data_version=dg.DataVersion(told.digest()),
        metadata={
            "dagster/row_count": int(known.tradable.sum()),
            "dagster/column_schema": _schema(known.features),
            "decision_sessions": len(known.sessions),
            "labelled_sessions": told.labelled,
            "names": len(known.names),
            "features": ", ".join(known.features),
            "coming_session": str(known.sessions[-1]) if len(known.sessions) else "none",
        },
    )


def _schema(features: tuple[str, ...]) -> dg.TableSchema:
    """The panel as a table: a row for each decision and name that may be traded."""
    said = {name: one.description for one in FEATURES for name in (one.ref, one.name)}
    keys = (dg.TableColumn("session", "date", description="Of the decision; what it knows is of the session before."),
            dg.TableColumn("instrument_id", "string", description="Permanent id, never a ticker."))
    values = [dg.TableColumn(name, "double", description=said.get(name)) for name in features]
    label = dg.TableColumn("return", "double", description="From the open that is decided for to the next one.")
    return dg.TableSchema([*keys, *values, label])


def _trained(
    context: dg.AssetExecutionContext, home: HomeResource, name: str,
    draw: Callable[[Any, dict[str, Any]], dict[str, str]],
) -> Any:
    from pipelines import kept
    from pipelines.digest import json_digest
    from pipelines.evidence.ledger import Ledger
    from pipelines.progress import say, step
    from pipelines.training import enough, inputs, story
    from pipelines.training.candidates import strategies
    from pipelines.training.folds import Bench

    desk, settings = home.home(), home.settings()
    told = inputs.load(desk)
    if why := enough.untrainable(settings, told):
        return dg.MaterializeResult(metadata=enough.skip(desk, "training", why), data_version=dg.DataVersion("skipped"))
    if name != "hmm" and (why := enough.narrow(settings, told)):  # regimes need no breadth
        return dg.MaterializeResult(metadata=enough.skip_family(desk, name, why),
                                    data_version=dg.DataVersion("skipped"))
    strategy = strategies(settings, told.panel.features)[0]

    def heard(done: str) -> None:
        """An event on the asset's page while the run goes on."""
        context.log_event(dg.AssetObservation(["training", name], description=done))

    asked = kept.question(desk, settings, home.now(), name, told.digest())
    known = kept.answer(desk, f"training-{name}", asked)
    if known is not None and (section := story.again(desk, name, known["digests"])) is not None:
        say(f"    {name}: all {len(known['digests'])} fits stand")
        digests, pictures = known["digests"], known["pictures"]
    else:
        bench = Bench(desk, settings, told, Ledger(desk.ledger), home.now(), strategy, heard)
        with step(f"training {name}"):
            folds = story.fit_family(bench, name)
            section = story.tell(desk, bench, name, folds)
        digests, pictures = [fold.fitted.digest for fold in folds], draw((bench, folds), section)
        kept.keep(desk, f"training-{name}", asked, {"digests": digests, "pictures": pictures})
    shown = ("first_session", "last_session", "seconds", "cached")
    records = [{"learnt_from_sessions": fold["train_rows"], **{key: fold[key] for key in shown},
                **{key: round(value, 4) for key, value in fold["metrics"].items()}}
               for fold in section["folds"] if fold["metrics"]]
    return dg.MaterializeResult(
        data_version=dg.DataVersion(json_digest(digests)),
        metadata={
            "learnt_from_sessions": max((fold["train_rows"] for fold in section["folds"]), default=0),
            "fits": len(digests),
            "fitted_now": sum(not fold["cached"] for fold in section["folds"]),
            "folds": table(records),
            "chosen": pairs(section["chosen_params"], "parameter"),
            **_searched(section), **_named(section),
            **{key: dg.MetadataValue.md(text) for key, text in pictures.items()},
        },
    )


def _searched(section: dict[str, Any]) -> dict[str, Any]:
    """Every tuning trial, where parameters were searched for."""
    trials = [trial for search in section.get("searches", []) for trial in search]
    records = [dg.TableRecord({"search": trial["search"][:8], "trial": trial["trial"] + 1,
                               "rank_ic": round(trial["rank_ic"], 4), "pruned": bool(trial.get("pruned")),
                               **{key: round(float(value), 5) for key, value in trial["params"].items()}})
               for trial in trials]
    return {"tuning_trials": dg.MetadataValue.table(records)} if records else {}


def _named(section: dict[str, Any]) -> dict[str, Any]:
    """How far each refit of the regimes gave the same names as the one before."""
    told = section.get("agreement", [])
    records = [dg.TableRecord({"refit_for": one["first_session"], "same_name": round(one["share"], 3)}) for one in told]
    return {"names_kept": dg.MetadataValue.table(records)} if records else {}


@dg.asset(
    key=["training", "hmm"], deps=[panel], group_name="training", kinds={"hmmlearn", "numpy"}, owners=OWNERS,
    description="Four market regimes, fitted by fold on market return, volatility and volume; posteriors are filtered "
                "forward only.",
)
def hmm(context: dg.AssetExecutionContext, home: HomeResource) -> dg.MaterializeResult[Any]:
    def draw(fitted: Any, section: dict[str, Any]) -> dict[str, str]:
        import numpy as np

        from models.hmm.score import HmmModel
        from pipelines.training import pictures

        bench, folds = fitted
        judged = folds[:-1]
        believed = [(HmmModel.from_bytes(fold.fitted.data), int(row)) for fold in judged for row in fold.test]
        posterior = np.stack([model.posterior(bench.inputs.panel, row) for model, row in believed])
        rows = [row for _, row in believed]
        return {"regimes": pictures.regimes(bench.inputs.panel.sessions[rows], posterior, believed[0][0].names),
                "loss": pictures.losses(section)}

    return _trained(context, home, "hmm", draw)


@dg.asset(
    key=["training", "gbm"], deps=[panel], group_name="training", kinds={"lightgbm", "optuna"}, owners=OWNERS,
    description="Boosted trees on the cross-section of coming returns; a few Optuna trials inside the training fold "
                "once a year of sessions.",
)
def gbm(context: dg.AssetExecutionContext, home: HomeResource) -> dg.MaterializeResult[Any]:
    def draw(fitted: Any, section: dict[str, Any]) -> dict[str, str]:
        from pipelines.training import pictures

        return {"skill": pictures.skill_by_fold(section, "Trees"), "importances": pictures.importances(section),
                "loss": pictures.losses(section)}

    return _trained(context, home, "gbm", draw)


@dg.asset(
    key=["training", "gnn"], deps=[panel], group_name="training", kinds={"pytorch"}, owners=OWNERS,
    description="Graph attention on the rolling-correlation graph of each decision; fitted with torch, scored in "
                "NumPy.",
)
def gnn(context: dg.AssetExecutionContext, home: HomeResource) -> dg.MaterializeResult[Any]:
    def draw(fitted: Any, section: dict[str, Any]) -> dict[str, str]:
        from pipelines.training import pictures

        return {"skill": pictures.skill_by_fold(section, "Graph attention"), "loss": pictures.losses(section)}

    return _trained(context, home, "gnn", draw)


@dg.asset(
    key=["training", "runs"], deps=[dg.AssetKey(["validation", "judged"])], group_name="training", kinds={"mlflow"},
    owners=OWNERS,
    description="Tonight's fits and judged candidates as nested MLflow runs; nothing is written when nothing changed.",
)
def runs(home: HomeResource) -> dg.MaterializeResult[Any]:
    from pipelines.progress import step
    from pipelines.training import enough, inputs, tracking

    desk = home.home()
    if why := enough.untrainable(home.settings(), inputs.load(desk)):
        return dg.MaterializeResult(metadata={"skipped": why})
    with step("MLflow runs"):
        logged = tracking.track(desk, home.settings(), inputs.load(desk), home.now())
    return dg.MaterializeResult(metadata={"runs_written": logged, "store": str(tracking.store_of(desk))})


@dg.asset(
    key=["training", "target_5m"], deps=[dg.AssetKey(["marts", "minute_bars"])], group_name="training",
    kinds={"lightgbm"}, owners=OWNERS,
    description="Where training.target_5m asks for it: the chance that a name rises by half a percent within five "
                "minutes, from its minutes; a diagnostic, from which nothing is promoted.",
)
def target_5m(home: HomeResource) -> dg.MaterializeResult[Any]:
    asked = home.settings().training
    if not asked.target_5m:
        return dg.MaterializeResult(metadata={"skipped": "training.target_5m is off"},
                                    data_version=dg.DataVersion("skipped"))
    from pipelines.progress import say, step
    from pipelines.training import pictures
    from pipelines.training.target_5m import train

    desk = home.home()
    with step("training Target_5m"):
        told = train(desk, home.settings().seed, home.now(), asked.target_5m_rise)
        desk.write_section("target_5m", told)
    if "skipped" in told:
        say(f"    {told['skipped']}")
        return dg.MaterializeResult(metadata={"skipped": told["skipped"]}, data_version=dg.DataVersion("skipped"))
    return dg.MaterializeResult(
        data_version=dg.DataVersion(told["digest"]),
        metadata={
            "train_rows": told["rows"], "model": told["model"], "share_of_rises": told["share"],
            "brier": told["brier"], "brier_of_share": told["brier_of_share"], "auc": told["auc"] or 0.0,
            "folds": table(told["folds"]),
            "calibration": dg.MetadataValue.md(pictures.calibration(told)),
        },
    )
