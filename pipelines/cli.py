"""`nightdesk …`: thin commands over the rooms of the house. Heavy libraries load only where they are needed."""

import datetime as dt
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines import settings as settings_module
from pipelines.home import Home, HomeBusy, HomeLayout

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
models_app = typer.Typer(no_args_is_help=True, help="Bundles and the records of who let them through.")
app.add_typer(features_app, name="features")
app.add_typer(models_app, name="models")

HomeOption = Annotated[Path | None, typer.Option("--home", help="Where everything lies. Default: ./.nightdesk")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, nothing else")]
SourceOption = Annotated[str | None, typer.Option(help="sandbox, files:DIR, or vendors (keys from the environment)")]
SeedOption = Annotated[int | None, typer.Option(help="Seed of the sandbox market and of every fit")]
NowOption = Annotated[dt.datetime | None, typer.Option(formats=["%Y-%m-%dT%H:%M:%S%z"], help="The moment of the run")]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", help="Any setting, e.g. sandbox.signal=zero or leak.planted=true")
]


def _overrides(
    home: Path | None, source: str | None = None, seed: int | None = None, now: dt.datetime | None = None,
    assignments: list[str] | None = None,
) -> dict[str, Any]:
    values: dict[str, Any] = {"home": home and str(home), "source": source, "seed": seed, "now": now}
    for text in assignments or []:
        name, equals, value = text.partition("=")
        if not equals:
            raise settings_module.SettingsError(f"--set {text}: write it as section.key=value")
        section, dot, key = name.partition(".")
        if dot:
            values.setdefault(section, {})[key] = value
        else:
            values[section] = value
    return {key: value for key, value in values.items() if value is not None}


def _home(home: Path | None) -> Home:
    found = Home(settings_module.load(_overrides(home)).home)
    if not (found.root / "layout.json").exists():
        raise FileNotFoundError(f"no home at {found.root}: run `nightdesk nightly` first, or name one with --home")
    return found.prepare()


def _emit(value: Any, as_json: bool, plain: Callable[[Any], None]) -> None:
    if as_json:
        json.dump(value, sys.stdout, indent=1, default=str)
        sys.stdout.write("\n")
    else:
        plain(value)


@app.command()
def nightly(
    home: HomeOption = None, source: SourceOption = None, seed: SeedOption = None, now: NowOption = None,
    set_: SetOption = None,
    next_: Annotated[bool, typer.Option("--next", help="Let one more sandbox night happen first")] = False,
) -> None:
    """One whole night: ingest → warehouse → features → leak gate → training → judgement → promotion → report."""
    from pipelines import run
    from pipelines.progress import say

    overrides = _overrides(home, source, seed, now, set_)
    settings = settings_module.load(overrides)
    desk = Home(settings.home).prepare()
    say(f"Nightly in {desk.root} (source {settings.source}, seed {settings.seed})")
    if not run.run_job("nightly", desk, overrides, advance=next_):
        run.tell_stopped_night(desk, settings)
        say("The night failed; the lines above say where. Nothing that was published before is touched.")
        raise typer.Exit(1)
    if all(desk.read_section(name).get("unchanged") for name in ("ingest", "warehouse", "bundle")):
        say("Nothing changed since the last night: every result stands.")
    verdict = desk.read_section("verdict")
    for reason in verdict.get("reasons", []):
        say(f"  {reason}")


@app.command()
def ingest(
    home: HomeOption = None, source: SourceOption = None, seed: SeedOption = None, now: NowOption = None,
    set_: SetOption = None,
    record: Annotated[Path | None, typer.Option(help="Also write every body here, in the `files:` layout")] = None,
    json_: JsonOption = False,
) -> None:
    """Pull what is new from the vendors into the lake, and nothing else."""
    from pipelines import night
    from pipelines.lake import ingest as lake_ingest

    settings = settings_module.load(_overrides(home, source, seed, now, set_))
    desk = Home(settings.home).prepare()
    with desk.lock():
        moment = night.settle(settings, desk, run_id="ingest")
        result = lake_ingest.ingest(settings, desk, moment)
        if record is not None:
            from pipelines.lake import record as recorder

            recorder.record(desk, record)
    _emit(desk.read_section("ingest"), json_, lambda v: print(f"batch {v.get('batch')}: {v.get('vendors')}"))
    del result


@app.command()
def ui(
    home: HomeOption = None, seed: SeedOption = None, set_: SetOption = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1")] = 3000,
) -> None:
    """The Dagster UI with its daemon (schedules run while it is open). Ctrl-C ends both."""
    from pipelines import run

    raise typer.Exit(run.serve_ui(_overrides(home, None, seed, None, set_), port))


@app.command()
def sql(
    query: str, home: HomeOption = None, json_: JsonOption = False,
    as_of: Annotated[str | None, typer.Option(help="2025-06-30 (end of that day in New York) or a UTC instant")] = None,
) -> None:
    """Ask the marts, as of now or as of a past moment: one row a grain, the newest version known then."""
    from pipelines.lake import sql as lake_sql

    rows = lake_sql.rows(_home(home), query, as_of)
    _emit(rows, json_, lake_sql.print_table)


@features_app.command("list")
def features_list(json_: JsonOption = False) -> None:
    """Every feature: version, inputs, look-back, staleness, meaning."""
    from pipelines.store import research

    _emit(research.features_list(), json_, research.print_catalogue)


@features_app.command("get")
def features_get(
    features: Annotated[str, typer.Option(help="Comma-separated names, e.g. ret_5,rsi_14")],
    entities: Annotated[Path, typer.Option(help="Parquet or CSV with instrument_id and event_timestamp")],
    out: Annotated[Path, typer.Option(help="Parquet to write")],
    home: HomeOption = None,
    as_of: Annotated[str | None, typer.Option(help="Nothing known later counts")] = None,
) -> None:
    """A point-in-time frame: each row is read as of the earlier of its timestamp and --as-of."""
    from pipelines.store import research

    rows = research.features_get(_home(home), features.split(","), entities, as_of, out)
    print(f"{rows} rows -> {out}")


@models_app.command("list")
def models_list(home: HomeOption = None, json_: JsonOption = False) -> None:
    """Every bundle and the act that let it through."""
    from pipelines.evidence import inventory

    _emit(inventory.list_bundles(_home(home)), json_, inventory.print_list)


@models_app.command("show")
def models_show(seq: int, home: HomeOption = None, json_: JsonOption = False) -> None:
    """One record with every gate value it was decided on."""
    from pipelines.evidence import inventory

    _emit(inventory.show(_home(home), seq), json_, lambda v: print(json.dumps(v, indent=1, default=str)))


@models_app.command("verify")
def models_verify(home: HomeOption = None, json_: JsonOption = False) -> None:
    """Check the chains and signatures of ledger, records and the current bundle."""
    from pipelines.evidence import inventory

    result = inventory.verify(_home(home))
    _emit(result, json_, lambda v: print("\n".join(f"{name}: {state}" for name, state in v.items())))
    if not all(state == "ok" or state == "none yet" for state in result.values()):
        raise typer.Exit(1)


@app.command()
def live(
    home: HomeOption = None, seed: SeedOption = None, set_: SetOption = None, json_: JsonOption = False,
    bundle: Annotated[Path | None, typer.Option(help="A bundle's folder. Default: the home's current one")] = None,
    feed: Annotated[str, typer.Option(help="sandbox (the coming session) or replay:TAPE.parquet")] = "sandbox",
    sessions: Annotated[int, typer.Option(help="How many coming sandbox sessions")] = 1,
) -> None:
    """Trade the approved bundle on paper, decision by decision, into the journal."""
    from pipelines import trading

    settings = settings_module.load(_overrides(home, None, seed, None, set_))
    report = trading.trade(settings, Home(settings.home).prepare(), bundle, feed, sessions)
    _emit(report, json_, trading.print_report)


@app.command()
def passport(id: str, home: HomeOption = None, json_: JsonOption = False) -> None:
    """Everything behind one order: bundle, features, scores, limits, fills; recomputed bit for bit."""
    from pipelines import trading

    document = trading.passport(_home(home), id)
    _emit(document, json_, trading.print_passport)
    if not document.get("recomputed_equal"):
        raise typer.Exit(1)


@app.command()
def report(home: HomeOption = None) -> None:
    """Where the last night's page is."""
    desk = _home(home)
    pointer = desk.reports / "latest"
    if not pointer.exists():
        raise FileNotFoundError(f"no report in {desk.reports}: run `nightdesk nightly` first")
    print(f"Report: {desk.reports / pointer.read_text().strip() / 'index.html'}")


@app.command()
def status(home: HomeOption = None, json_: JsonOption = False) -> None:
    """What stands in this home, each part with its digest."""
    from pipelines import status as status_module

    _emit(status_module.collect(_home(home)), json_, status_module.print_status)


@app.command(hidden=True)
def check() -> None:
    """Load the definitions, as the Dagster UI would."""
    from pipelines import run

    print(f"definitions: {run.count_assets()} assets load")


EXPECTED = (settings_module.SettingsError, HomeBusy, HomeLayout, FileNotFoundError, ValueError)


def run_app() -> int:
    """Exit code of the command; what a person can mend is said in one line, without a traceback."""
    try:
        app()
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else int(done.code is not None)
    except EXPECTED as problem:
        print(f"nightdesk: {problem}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as missing:
        hint = "this command needs the night's libraries: pip install 'nightdesk[night]'"
        print(f"nightdesk: {missing.name} is not installed; {hint}", file=sys.stderr)
        return 2
    return 0


def main() -> None:
    """Entry point. What the interpreter's teardown has to say (DuckDB's binding lists its own bookkeeping by the page)
    is not for the person at the screen: all that matters was said and synced before."""
    code = run_app()
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    raise SystemExit(code)


if __name__ == "__main__":
    main()
