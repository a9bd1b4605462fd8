"""Judgement: every candidate's out-of-sample returns, net of all costs, beside baselines and buy-and-hold."""

import dagster as dg

from pipelines.resources import HomeResource


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
    from pipelines.evidence.figures import judged_section
    from pipelines.evidence.judged import judge_night
    from pipelines.evidence.ledger import Ledger
    from pipelines.evidence.picture import equity_curves
    from pipelines.evidence.policy import policy_of
    from pipelines.progress import step
    from pipelines.store.leak import models_nightly
    from pipelines.training import decided, enough, inputs
    from pipelines.training.candidates import TARGET
    from pipelines.training.prices import read_prices
    from pipelines.training.walk_rules import judge_rules

    desk, settings = home.home(), home.settings()
    told = inputs.load(desk)
    if why := enough.untrainable(settings, told):
        return dg.MaterializeResult(metadata=enough.skip(desk, "judged", why), data_version=dg.DataVersion("skipped"))
    narrow = enough.narrow(settings, told)
    with step("judging every rule" if narrow else "judging every candidate"):
        night, walked = (judge_rules(desk, settings, told, read_prices(desk, home.now(), told.panel), home.now())
                         if narrow else judge_night(desk, settings, told, home.now()))
        decided.of_walk(walked).save(desk)
    with step("one fold learnt again from what was known"):
        models_nightly.nightly(desk, settings, told, walked, home.now())
    trials = max(Ledger(desk.ledger).n(TARGET), policy_of(settings).min_trials)
    section = judged_section(night, walked, trials) | ({"narrow": narrow} if narrow else {})
    desk.write_section("judged", section)
    shown = ("name", "kind", "sharpe_net", "sharpe_active", "sharpe_gross", "max_drawdown", "turnover_daily",
             "cost_bp_daily", "dsr")
    records = [dg.TableRecord({name: one[name] for name in shown}) for one in section["strategies"]]
    return dg.MaterializeResult(
        data_version=dg.DataVersion(night.digest()),
        metadata={
            "dagster/row_count": len(night.sessions) * len(night.candidates),
            "first_session": str(night.sessions[0]),
            "last_session": str(night.sessions[-1]),
            "trials_n": trials,
            **({"narrow": narrow} if narrow else {}),
            "candidates": dg.MetadataValue.table(records),
            "equity": dg.MetadataValue.md(equity_curves(section)),
        },
    )
