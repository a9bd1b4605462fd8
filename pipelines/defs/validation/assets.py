"""Judgement: every candidate's out-of-sample returns, net of all costs, beside baselines and buy-and-hold."""

import dagster as dg

from pipelines.defs.tables import readable
from pipelines.resources import HomeResource

SERIES = {
    "active": "Net return less cash and less beta times the tradable universe: what every test of skill runs on.",
    "active_stressed": "The same at the gate's multiple of the costs.",
    "excess": "Net return less cash.",
    "net": "After spread, impact, fees and borrow, as a share of the capital.",
    "gross": "Before all costs.",
    "cost": "Spread, impact, fees and borrow, as a share of the capital.",
    "turnover": "Bought and sold, as a share of the capital.",
    "net_exposure": "Long less short, as a share of the capital.",
}


@dg.asset(
    key=["validation", "judged"],
    deps=[dg.AssetKey(["training", name]) for name in ("hmm", "gbm", "gnn")],
    group_name="validation",
    kinds={"python", "numpy"},
    owners=["team:nightdesk"],
    description="Walk-forward decisions of every candidate, filled at the open in whole shares with spread, impact, "
                "fees and borrow; active returns are net of cash and of beta to the tradable universe.",
)
def judged(home: HomeResource) -> dg.MaterializeResult:
    from pipelines import kept
    from pipelines.evidence import judged as judging
    from pipelines.evidence.figures import judged_section
    from pipelines.evidence.ledger import Ledger
    from pipelines.evidence.picture import equity_curves
    from pipelines.evidence.policy import policy_of
    from pipelines.progress import say, step
    from pipelines.store.leak import models_nightly
    from pipelines.training import decided, enough, inputs
    from pipelines.training.candidates import TARGET
    from pipelines.training.prices import read_prices
    from pipelines.training.walk_rules import judge_rules

    desk, settings, now = home.home(), home.settings(), home.now()
    told = inputs.load(desk)
    if why := enough.untrainable(settings, told):
        return dg.MaterializeResult(metadata=enough.skip(desk, "judged", why), data_version=dg.DataVersion("skipped"))
    narrow = enough.narrow(settings, told)

    def asked() -> str:
        return kept.question(desk, settings, now, told.digest(), *judging.looked_at(desk))

    if not narrow and kept.answer(desk, "judged", asked()) is not None and judging.stands_beside(
            desk, settings, told, night := judging.JudgedNight.load(desk)):
        say("    every candidate stands as it was judged")
        section = desk.read_section("judged")
    else:
        with step("judging every rule" if narrow else "judging every candidate"):
            night, walked = (judge_rules(desk, settings, told, read_prices(desk, now, told.panel), now)
                             if narrow else judging.judge_night(desk, settings, told, now))
            decided.of_walk(walked).save(desk)
        with step("one fold learnt again from what was known"):
            models_nightly.nightly(desk, settings, told, walked, now)
        trials = max(Ledger(desk.ledger).n(TARGET), policy_of(settings).min_trials)
        section = judged_section(night, walked, trials) | ({"narrow": narrow} if narrow else {})
        desk.write_section("judged", section)
        files = [desk.section("judged"), desk.section(models_nightly.SECTION), *(desk.work / "judgement").glob("[!.]*")]
        kept.keep(desk, "judged", asked(), {}, files)
    trials = max(Ledger(desk.ledger).n(TARGET), policy_of(settings).min_trials)
    shown = ("name", "kind", "sharpe_net", "sharpe_active", "sharpe_gross", "max_drawdown", "turnover_daily",
             "cost_bp_daily", "dsr")
    records = [{name: one[name] for name in shown} for one in section["strategies"]]
    return dg.MaterializeResult(
        data_version=dg.DataVersion(night.digest()),
        metadata={
            "dagster/row_count": len(night.sessions) * len(night.candidates),
            "dagster/column_schema": dg.TableSchema([
                dg.TableColumn("session", "date", description="Out of sample: no fit had seen it."),
                dg.TableColumn("name", "string", description="The candidate that was judged."),
                *(dg.TableColumn(name, "double", description=SERIES.get(name)) for name in night.series)]),
            "first_session": str(night.sessions[0]),
            "last_session": str(night.sessions[-1]),
            "trials_n": trials,
            **({"narrow": narrow} if narrow else {}),
            "candidates": readable(records),
            "equity": dg.MetadataValue.md(equity_curves(section)),
        },
    )
