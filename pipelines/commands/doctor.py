"""`nightdesk doctor`: is all well here, and if not, what to do."""

import os
from typing import Annotated, Any

import typer

from pipelines.commands.options import HomeOption, JsonOption, SeedOption, SetOption, SourceOption, emit, overrides

_MARKS = {"ok": "✓", "advice": "!", "problem": "✗", "untested": "?"}


def doctor(
    home: HomeOption = None, source: SourceOption = None, seed: SeedOption = None, set_: SetOption = None,
    online: Annotated[bool, typer.Option("--online", help="Also ask each vendor with a key one free question")] = False,
    settings: Annotated[bool, typer.Option("--settings", help="Show every setting, not only the changed ones")] = False,
    json_: JsonOption = False,
) -> None:  # fmt: skip
    """Keys, disk, clock, lock, versions, settings and the last night; what to do about each. Exit 1 on a problem."""
    from pipelines import doctor as doctor_module

    told = doctor_module.examine(overrides(home, source, seed, None, set_), os.environ, online=online)
    emit(told, json_, lambda found: _print(found, every_setting=settings))
    if not told["healthy"]:
        raise typer.Exit(1)


def _print(told: dict[str, Any], *, every_setting: bool) -> None:
    for finding in told["findings"]:
        print(f"{_MARKS[finding['state']]} {finding['name']}: {finding['found']}")
        if finding["advice"]:
            print(f"    → {finding['advice']}")
    shown = {name: one for name, one in told["settings"].items() if every_setting or one["origin"] != "default"}
    print(f"settings ({len(shown)} of {len(told['settings'])}; the rest are defaults):" if shown else
          f"settings: all {len(told['settings'])} are defaults (--settings shows them)")  # fmt: skip
    for name, one in shown.items():
        print(f"  {name} = {one['value']}   [{one['origin']}]")


def validate(home: HomeOption = None, set_: SetOption = None, json_: JsonOption = False) -> None:
    """One PASS or FAIL a system, each by really doing something: fetch, read, load, recompute. Exit 1 on a FAIL."""
    from pipelines import validate as systems

    found = systems.examine(overrides(home, None, None, None, set_))
    emit(found, json_, systems.print_systems)
    if not all(one["passed"] for one in found):
        raise typer.Exit(1)
