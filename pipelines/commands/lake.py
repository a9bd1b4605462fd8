"""Commands over the lake: pull, and ask."""

import uuid
from pathlib import Path
from typing import Annotated

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


def ingest(
    home: HomeOption = None, source: SourceOption = None, seed: SeedOption = None, now: NowOption = None,
    set_: SetOption = None,
    record: Annotated[Path | None, typer.Option(help="Also write every body here, in the `files:` layout")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show requests, bytes and cost; pull nothing")] = False,
    json_: JsonOption = False,
) -> None:  # fmt: skip
    """Pull what is new from the vendors into the lake, and nothing else."""
    from pipelines import night
    from pipelines.lake import ingest as lake_ingest

    settings = settings_module.load(overrides(home, source, seed, now, set_))
    if dry_run:
        from pipelines.lake import dry_run as rehearsal

        told = rehearsal.rehearse(settings, Home(settings.home), night.moment(settings, Home(settings.home))[0])
        emit(told, json_, rehearsal.print_table)
        return
    desk = Home(settings.home).prepare()
    with desk.lock():
        moment = night.settle(settings, desk, run_id=f"ingest-{uuid.uuid4().hex}")  # each is a run of its own
        lake_ingest.ingest(settings, desk, moment)
        if record is not None:
            from pipelines.lake import record as recorder

            recorder.record(desk, record)
    emit(desk.read_section("ingest"), json_, lambda v: print(f"batch {v.get('batch')}: {v.get('vendors')}"))


def sql(
    query: str, home: HomeOption = None, json_: JsonOption = False,
    as_of: Annotated[str | None, typer.Option(help="2025-06-30 (end of that day in New York) or a UTC instant")] = None,
) -> None:  # fmt: skip
    """Ask the marts, as of now or as of a past moment: one row a grain, the newest version known then."""
    from pipelines.lake import sql as lake_sql

    rows = lake_sql.rows(home_of(home), query, as_of)
    emit(rows, json_, lake_sql.print_table)
