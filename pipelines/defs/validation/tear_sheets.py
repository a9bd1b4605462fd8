"""A page for every candidate, and what was judged as files, beside the night's report."""

from typing import Any

import dagster as dg

from pipelines.resources import HomeResource

SECTIONS = ("judged", "training", "verdict", "price_tag")


@dg.asset(
    key=["reporting", "tear_sheets"],
    deps=[dg.AssetKey(["validation", "price_tag"])],
    group_name="reporting",
    kinds={"html"},
    owners=["team:nightdesk"],
    description="One self-contained page a candidate: equity, months, folds, regimes, statistics with intervals, "
                "capacity, calibration; and judged returns, trades and positions as CSV and Parquet.",
)
def tear_sheets(home: HomeResource) -> dg.MaterializeResult[Any]:
    from pipelines import kept
    from pipelines.digest import json_digest
    from pipelines.evidence.judged import JudgedNight
    from pipelines.evidence.price_tag import judged_window
    from pipelines.progress import say, step
    from pipelines.report import export, sheets
    from pipelines.training import decided, inputs
    from pipelines.training.prices import read_prices, symbols_of

    desk, now = home.home(), home.now()
    sections = {name: desk.read_section(name) for name in SECTIONS}
    if why := sections["judged"].get("skipped"):
        desk.write_section("tear_sheets", {"skipped": why})
        return dg.MaterializeResult(metadata={"skipped": why}, data_version=dg.DataVersion("skipped"))
    date, night = now.date().isoformat(), JudgedNight.load(desk)
    told = inputs.load(desk)
    trees = sections["training"].get("families", {}).get("gbm", {}).get("importances")
    verdict = {name: value for name, value in sections["verdict"].items() if name != "repeated"}
    asked = kept.question(desk, home.settings(), now, told.digest(), decided.digest(desk), night.digest(), trees,
                          verdict, sections["judged"], sections["price_tag"])
    if (section := kept.answer(desk, "tear_sheets", asked)) is None:
        with step("tear sheets"):
            made, prices = decided.load(desk), read_prices(desk, now, told.panel)
            rows = told.panel.sessions.searchsorted(night.sessions)
            known = sheets.Desk(night, made, prices, told.returns[rows], sections, home.settings().seed)
            written = sheets.write(desk, known, date)
            files = export.write(desk.reports / date, night, made, judged_window(prices, night),
                                 symbols_of(desk, now, night.instruments), written[0]["name"])
        section = {"sheets": written, "files": files}
        desk.write_section("tear_sheets", section)
        exported = [desk.reports / date / f"{name}.{kind}" for name in files for kind in ("csv", "parquet")]
        kept.keep(desk, "tear_sheets", asked, section,
                  [*(desk.reports / one["path"] for one in written), *exported, desk.section("tear_sheets")])
    else:
        say("    tear sheets stand as they were drawn")
    written, files = section["sheets"], section["files"]
    links = "\n".join(f"- {one['role']}: `{desk.reports / one['path']}`" for one in written)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(json_digest([night.digest(), section])),
        metadata={"pages": len(written), "sheets": dg.MetadataValue.md(links),
                  **({"chosen": dg.MetadataValue.path(str(desk.reports / written[0]["path"]))} if written else {}),
                  **{f"{name}_rows": rows for name, rows in files.items()}},
    )
