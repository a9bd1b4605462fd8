"""Commands over the lake and what was made of it: pull, ask, forget."""

import uuid
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines import settings as settings_module
from pipelines.commands.options import (
    HomeOption,
    JsonOption,
    NowOption,
    SeedOption,
    SetOption,
    SourceOption,
    emit,
    home_of,
    overrides,
)
from pipelines.home import Home
from pipelines.progress import say
from pipelines.settings import Settings
from pipelines.vendors.hosts import VendorError

STOPPED = "Stopped. What was received is kept and what was landed stands; the same command, run again, does the rest."


def ingest(
    home: HomeOption = None, source: SourceOption = None, seed: SeedOption = None, now: NowOption = None,
    set_: SetOption = None,
    record: Annotated[Path | None, typer.Option(help="Also write every body here, in the `files:` layout")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show requests, bytes and cost; pull nothing")] = False,
    next_: Annotated[bool, typer.Option("--next", help="Let one more sandbox night happen first")] = False,
    json_: JsonOption = False,
) -> None:  # fmt: skip
    """Pull what is new from the vendors into the lake, and nothing else. `nightdesk status` lists what is stale.

    Examples:

    - `nightdesk ingest --dry-run --source vendors` says what a pull would ask and cost, and asks nothing

    - `nightdesk ingest --record bodies` also keeps the bodies in a folder that `--source files:bodies` reads
    """
    settings = settings_module.load(overrides(home, source, seed, now, set_))
    desk = Home(settings.home)
    try:
        if dry_run:
            _rehearse(settings, desk, json_)
            return
        _pull(settings, desk.prepare(), record, advance=next_)
    except VendorError as problem:
        raise ValueError(str(problem)) from None  # said in one line, as whatever else a person can mend
    told = desk.read_section("ingest")
    emit(told, json_, _print_ingest)
    if told["failed"]:
        say("Not had:")
        for what, why in told["failed"].items():
            say(f"  {what}: {why}")
        say("The rest is landed. The same command, run again, asks for what is missing.")
        raise typer.Exit(1)


def _print_ingest(told: dict[str, Any]) -> None:
    if told.get("unchanged"):
        print("Nothing is new." if told["failed"] else "Nothing is new: every vendor answered as before.")
        return
    print(f"Batch {told.get('batch')}:")
    for vendor, counts in sorted((told.get("vendors") or {}).items()):
        print(f"  {vendor:8} {counts['rows']:>9,} new rows, {counts['rejects']:,} refused, "
              f"{counts['requests']:,} requests")


def _rehearse(settings: Settings, desk: Home, json_: bool) -> None:
    from pipelines import night
    from pipelines.lake import dry_run

    emit(dry_run.rehearse(settings, desk, night.moment(settings, desk)[0]), json_, dry_run.print_table)


def _pull(settings: Settings, desk: Home, record: Path | None, *, advance: bool) -> None:
    from pipelines import night
    from pipelines.interruption import ends_at_once
    from pipelines.lake import ingest as lake_ingest
    from pipelines.lake import record as recorder

    if record is not None:
        recorder.refuse_full(record)  # before a pull of minutes
    with desk.lock(), ends_at_once(STOPPED):
        run_id = f"ingest-{uuid.uuid4().hex}"  # each is a run of its own
        result = lake_ingest.ingest(settings, desk, night.settle(settings, desk, run_id, advance=advance))
        if desk.dagster.exists():  # else the first night tells of all that it finds
            from pipelines import run

            run.tell_landed(desk, result)
        if record is not None:
            recorder.record(desk, record)


def sql(
    query: str, home: HomeOption = None,
    json_: Annotated[bool, typer.Option("--json", help="The same as --format json")] = False,
    format_: Annotated[str, typer.Option("--format", help="table, csv, json or parquet")] = "table",
    out: Annotated[Path | None, typer.Option(help="Write here instead of to standard output")] = None,
    as_of: Annotated[str | None, typer.Option(help="2025-06-30 (end of that day in New York) or a UTC instant")] = None,
) -> None:  # fmt: skip
    """Ask the marts, as of now or as of a past moment: one row a grain, the newest version known then.

    Examples:

    - `nightdesk sql "show tables"`

    - `nightdesk sql "select session, close from daily_bars where symbol = 'MSFD'" --as-of 2025-06-02`

    - `nightdesk sql "select * from daily_bars" --format parquet --out bars.parquet`

    A table's `_versions` beside it, such as `daily_bars_versions`, has every version of every row.
    """
    from pipelines.interruption import ends_at_once
    from pipelines.lake import marts
    from pipelines.lake import sql as lake_sql

    wanted = "json" if json_ else format_
    lake_sql.check(wanted, out)
    desk = home_of(home)
    with ends_at_once("Stopped. Nothing was written."):  # DuckDB's own word for it is a traceback
        lake_sql.put(lake_sql.ask(desk, query, as_of or marts.known_by_now(desk).isoformat()), wanted, out)


def prune(
    home: HomeOption = None, set_: SetOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Let them go; without it nothing is touched")] = False,
    json_: JsonOption = False,
) -> None:  # fmt: skip
    """What is past its retention (`[retention]`), and how much it is; with --yes it goes.

    Whatever a record, a bundle or tonight's story refers to stays, and so does all that could not be made again."""
    from pipelines import prune as pruning

    settings = settings_module.load(overrides(home, None, None, None, set_))
    desk = home_of(home)
    with desk.lock():
        doomed = pruning.plan(desk, settings.retention)
        told = {**doomed.told(desk), "done": yes}
        if yes:
            pruning.carry_out(desk, doomed)
    emit(told, json_, pruning.print_plan)
