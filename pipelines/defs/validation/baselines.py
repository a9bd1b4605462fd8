"""Baselines: rules judged beside the learned strategies, as diagnostics from which nothing can be promoted."""

from typing import Any

import dagster as dg

from pipelines.defs.tables import readable
from pipelines.resources import HomeResource

READ = ("technical_v1", "statistical_v1", "garch_v1", "graph_v1", "positioning_v1", "auction_v1")


@dg.asset(
    key=["validation", "baselines"],
    deps=[dg.AssetKey(["promotion", "verdict"]), *(dg.AssetKey(["features", view]) for view in READ)],
    group_name="validation",
    kinds={"python", "numpy"},
    owners=["team:nightdesk"],
    description="Every rule over the judged sessions with all costs on, beside champion and buy-and-hold, and what the "
                "graph network earns beyond a rotation among correlated names. Outside N; nothing here is promoted.",
)
def baselines(home: HomeResource) -> dg.MaterializeResult[Any]:
    from pipelines.progress import say, step
    from pipelines.training import baselines as rules
    from pipelines.training import enough, inputs
    from pipelines.training.baselines_picture import picture

    desk, settings = home.home(), home.settings()
    told = inputs.load(desk)
    if why := enough.untrainable(settings, told):
        return dg.MaterializeResult(metadata=enough.skip(desk, "baselines", why),
                                    data_version=dg.DataVersion("skipped"))
    with step("baselines"):
        section, digest = rules.tonight(desk, settings, told, home.now())
    desk.write_section("baselines", section)
    beyond = [rules.in_words(one) for one in section["graph"]] or ["The graph network was not judged."]
    for words in beyond:
        say(f"    {words}")
    shown = ("name", "sharpe_net", "sharpe_active", "sharpe_gross", "max_drawdown", "turnover_daily", "cost_bp_daily")
    records = [{name: one[name] for name in shown} for one in section["strategies"]
               if one["sharpe_net"] is not None]
    return dg.MaterializeResult(
        data_version=dg.DataVersion(digest),
        metadata={
            "judged": len(section["strategies"]), "rules": readable(records),
            "regimes": dg.MetadataValue.table([
                dg.TableRecord({"of": of, "regime": regime.lower().replace("_", " "), "names": count})
                for of in ("market", "price") for regime, count in section["regimes"].get(of, {}).items()],
                dg.TableSchema([dg.TableColumn("of"), dg.TableColumn("regime"), dg.TableColumn("names", "int")])),
            "graph_beyond_rotation": dg.MetadataValue.md("\n".join(f"- {words}" for words in beyond)),
            "equity": dg.MetadataValue.md(picture(section, desk.read_section("judged"), desk.read_section("verdict"))),
        },
    )
