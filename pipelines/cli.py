"""`nightdesk …`: thin commands over the rooms of the house. Heavy libraries load only where they are needed."""

import datetime as dt
import io
import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from pipelines import settings as settings_module
from pipelines.commands import backtest as backtest_command
from pipelines.commands import checkout, doctor, lake, models, words
from pipelines.commands.options import (
    HomeOption,
    JsonOption,
    NowOption,
    SeedOption,
    SetOption,
    SourceOption,
    emit,
    existing,
    home_of,
    overrides,
)
from pipelines.home import Home

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="""**Nightdesk**: vendor data into models that deserve to trade, every night, with evidence.

    A first evening: `nightdesk nightly` does one whole night on the embedded sandbox market, `nightdesk report` tells
    where its page is, `nightdesk live` trades the approved bundle on paper, `nightdesk passport ID` explains an order,
    `nightdesk ui` opens the Dagster UI. `nightdesk nightly --next` lets one more sandbox night happen.

    Settings come from `nightdesk.toml`, then `NIGHTDESK_*` variables (`NIGHTDESK_SANDBOX__SIGNAL=zero`), then options.
    """,
)
features_app = typer.Typer(no_args_is_help=True, help="Feature catalogue, and point-in-time frames for research.")
app.add_typer(features_app, name="features")
app.add_typer(models.app, name="models")


@app.command()
def nightly(
    home: HomeOption = None, source: SourceOption = None, seed: SeedOption = None, now: NowOption = None,
    set_: SetOption = None,
    next_: Annotated[bool, typer.Option("--next", help="Let one more sandbox night happen first")] = False,
    search: Annotated[bool, typer.Option("--search", help="Also ask whether another configuration deserves the slot, "
                                                          "as the weekly search does")] = False,
) -> None:
    """One whole night: ingest → warehouse → features → leak gate → training → judgement → promotion → report.

    Examples:

    - `nightdesk nightly` on the embedded market; a second one on unchanged input says so and takes seconds

    - `nightdesk nightly --home small --set sandbox.small=true` on a market of 20 names, in a minute

    - `nightdesk nightly --home mine --source files:DIR` on the vendors' bodies in a folder

    Exit 0 where every step and every blocking check passed, also where the gate lets nothing through: that is an
    answer. Exit 1 where the night stopped, or vendors did not give all that they were asked for; 2 where what was
    typed cannot be. It may be killed and run again anywhere.
    """
    checkout.needed()
    from pipelines import night, run
    from pipelines.progress import say

    chosen = overrides(home, source, seed, now, set_)
    settings = settings_module.load(chosen)
    night.refuse_missing_folder(settings)
    desk = Home(settings.home).prepare()
    say(f"Nightly in {desk.root} (source {settings.source}, seed {settings.seed})")
    if not run.run_job("search" if search else "nightly", desk, chosen, advance=next_):
        run.tell_stopped_night(desk, settings)
        say("The night failed; the lines above say where. Nothing that was published before is touched.")
        raise typer.Exit(1)
    if all(desk.read_section(name).get("unchanged") for name in ("ingest", "warehouse", "bundle")):
        say("Nothing changed since the last night: every result stands.")
    verdict = desk.read_section("verdict")
    for reason in verdict.get("reasons", []):
        say(f"  {reason}")
    if failed := desk.read_section("ingest").get("failed"):
        say("The night is done without what vendors did not give, which the next run asks for again:")
        for what, why in failed.items():
            say(f"  ✗ {what}: {why}")
        raise typer.Exit(1)


app.command()(lake.ingest)


@app.command()
def ui(
    home: HomeOption = None, seed: SeedOption = None, set_: SetOption = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Dagster's port on 127.0.0.1")] = 3000,
    mlflow_port: Annotated[int, typer.Option(min=1, max=65535, help="MLflow's port on 127.0.0.1")] = 5000,
) -> None:
    """The Dagster UI with its daemon (schedules run while it is open), and MLflow's. Ctrl-C ends all."""
    checkout.needed()
    from pipelines import ui as dagster_ui

    raise typer.Exit(dagster_ui.serve(overrides(home, None, seed, None, set_), port, mlflow_port))


app.command()(lake.sql)


@features_app.command("list")
def features_list(
    json_: JsonOption = False, home: HomeOption = None,
    yaml: Annotated[Path | None, typer.Option(help="Write it as YAML")] = None,
    html: Annotated[Path | None, typer.Option(help="Write it as one page that needs nothing else")] = None,
) -> None:
    """Every feature: version, formula, inputs, look-back, when it is known, and the shape of a home's values."""
    from pipelines.commands import features

    features.catalogue(json_, home, yaml, html)


@features_app.command("get")
def features_get(
    features: Annotated[str, typer.Option(help="Comma-separated names, e.g. ret_5,rsi_14")],
    entities: Annotated[Path, typer.Option(help="Parquet or CSV with instrument_id and event_timestamp")],
    out: Annotated[Path, typer.Option(help="Parquet to write")],
    home: HomeOption = None,
    as_of: Annotated[str | None, typer.Option(help="Nothing known later counts")] = None,
) -> None:
    """A point-in-time frame: each row is read as of the earlier of its timestamp and --as-of.

    `nightdesk features get --features ret_5,rsi_14 --entities labels.csv --out frame.parquet`, with labels.csv holding
    instrument_id and event_timestamp (with a zone). `nightdesk features list` names the features.
    """
    from pipelines.store import research

    rows = research.features_get(home_of(home), features.split(","), entities, as_of, out)
    print(f"{rows} rows -> {out}")


@app.command()
def live(
    home: HomeOption = None, seed: SeedOption = None, set_: SetOption = None, json_: JsonOption = False,
    bundle: Annotated[Path | None, typer.Option(help="A bundle's folder. Default: the home's current one")] = None,
    feed: Annotated[str, typer.Option(
        help="sandbox (the coming session), replay:TAPE.parquet, polygon or databento (keys from the environment)",
    )] = "sandbox",
    speed: Annotated[float | None, typer.Option(
        help="In real time (1), or a tape so many times as fast; without it a tape is read at once")] = None,
    sessions: Annotated[int, typer.Option(min=1, help="How many coming sandbox sessions")] = 1,
    serve: Annotated[bool, typer.Option("--serve", help="Show the account: a live page, until Ctrl-C")] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of the live page, on 127.0.0.1; 0 takes a free one",
                                      )] = 8765,
    shadow: Annotated[Path | None, typer.Option(help="A challenger's bundle: it decides too and sends nothing")] = None,
) -> None:
    """Trade the approved bundle on paper, decision by decision, into the journal.

    Examples:

    - `nightdesk live` trades the coming sandbox session at once; a session that was traded is not traded again

    - `nightdesk live --speed 60 --serve` shows it meanwhile, 60 times as fast as a real one

    - `nightdesk live --feed polygon --serve` in real time, with POLYGON_API_KEY or MASSIVE_API_KEY

    Where nothing is approved it stays flat and says why, which is exit 0 too. At a broker: `python -m live --help`.
    """
    from pipelines import trading

    for folder in (bundle, shadow):
        if folder is not None and not folder.exists():
            raise FileNotFoundError(f"no bundle at {folder}: give a bundle's folder, or one that holds bundles")
    settings = settings_module.load(overrides(home, None, seed, None, set_))
    # Recorded bars or a live feed with a bundle of its own need no home that was there before.
    desk = Home(settings.home).prepare() if bundle is not None and feed != "sandbox" else existing(settings)
    if speed is not None or feed in ("polygon", "databento"):
        told = trading.run_live(settings, desk, bundle, feed, sessions, speed, serve, port, shadow)
        if json_:
            emit(told, True, trading.print_report)
        return
    report = trading.trade(settings, desk, bundle, feed, sessions, shadow)
    emit(report, json_, trading.print_report)
    if serve:
        trading.show(desk, port)


@app.command()
def passport(id: str, home: HomeOption = None, json_: JsonOption = False) -> None:
    """Everything behind one order: bundle, features, scores, limits, fills; recomputed bit for bit.

    ID is a decision (d-…) or an order (o-…), as `nightdesk live`, its page and `nightdesk status` print them. Exit 1
    where a bit differs.
    """
    from pipelines import trading

    document = trading.passport(home_of(home), id)
    emit(document, json_, trading.print_passport)
    if not document.get("recomputed_equal"):
        raise typer.Exit(1)


@app.command()
def report(
    home: HomeOption = None,
    weekly: Annotated[bool, typer.Option("--weekly", help="The week's page instead, made from records, ledger and "
                                                          "journal, with CSV and Parquet beside it")] = False,
    week: Annotated[dt.datetime | None, typer.Option(
        formats=["%Y-%m-%d"], help="With --weekly: any day of the week. Default: that of the last night")] = None,
) -> None:
    """Where the last night's page is; with --weekly, the week's."""
    desk = home_of(home)
    if weekly:
        from pipelines import night
        from pipelines.report import weekly as weekly_page

        with desk.lock():
            page = weekly_page.render(desk, (week or night.current(desk)).date())
        print(f"Report: {page}")
        return
    pointer = desk.reports / "latest"
    if not pointer.exists():
        raise FileNotFoundError(f"no report in {desk.reports}: run `nightdesk nightly` first")
    print(f"Report: {desk.reports / pointer.read_text().strip() / 'index.html'}")


@app.command()
def status(home: HomeOption = None, json_: JsonOption = False) -> None:
    """What stands in this home, each part with its digest, and which assets are stale and why.

    Two homes with the same digests hold the same facts, marts, features and bundles, to the bit.
    """
    from pipelines import status as status_module

    emit(status_module.collect(home_of(home)), json_, status_module.print_status)


app.command()(backtest_command.backtest)
app.command()(doctor.doctor)
app.command()(doctor.validate)
app.command()(lake.prune)


@app.command(hidden=True)
def check() -> None:
    """Load the definitions, as the Dagster UI would."""
    checkout.needed()
    from pipelines import run

    print(f"definitions: {run.count_assets()} assets load")


def run_app() -> int:
    """Exit code of the command; what a person can mend is said in one line, without a traceback."""
    try:
        app()
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else int(done.code is not None)
    except BrokenPipeError:  # `| head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except Exception as problem:
        if (told := words.sentence(problem)) is None:
            raise
        print(f"nightdesk: {told}", file=sys.stderr)
        if "--json" in sys.argv:
            print(json.dumps({"error": told}, indent=1))
        return 2
    return 0


def main() -> None:
    """Entry point. What the interpreter's teardown has to say (DuckDB's binding lists its own bookkeeping by the page)
    is not for the person at the screen: all that matters was said and synced before."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal without our letters still hears us
    code = run_app()
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.stderr.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    raise SystemExit(code)


if __name__ == "__main__":
    main()
