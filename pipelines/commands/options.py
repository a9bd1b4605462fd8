"""What commands share: options, the settings they amount to, and one way to answer a person or a program."""

import datetime as dt
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines import settings as settings_module
from pipelines.home import Home

HomeOption = Annotated[Path | None, typer.Option("--home", help="Where everything lies. Default: ./.nightdesk")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, nothing else")]
SourceOption = Annotated[str | None, typer.Option(help="sandbox, files:DIR, or vendors (keys from the environment)")]
SeedOption = Annotated[int | None, typer.Option(help="Seed of the sandbox market and of every fit")]
NowOption = Annotated[dt.datetime | None, typer.Option(
    formats=["%Y-%m-%dT%H:%M:%S%z"], help="The moment of the run, such as 2025-07-01T06:00:00+0000")]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", help="Any setting, e.g. sandbox.small=true or leak.planted=true; "
                                           "may be said more than once")
]


def overrides(
    home: Path | None, source: str | None = None, seed: int | None = None, now: dt.datetime | None = None,
    assignments: list[str] | None = None,
) -> dict[str, Any]:  # fmt: skip
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


def home_of(home: Path | None) -> Home:
    """A home that exists."""
    return existing(settings_module.load(overrides(home)))


def existing(settings: settings_module.Settings) -> Home:
    """Its home, which a mistyped folder is not made into."""
    found = Home(settings.home)
    if not (found.root / "layout.json").exists() and not (found.root.exists() and not found.root.is_dir()):
        raise FileNotFoundError(f"no home at {found.root}: run `nightdesk nightly` first, or name one with --home")
    return found.prepare()


def emit(value: Any, as_json: bool, plain: Callable[[Any], None]) -> None:
    if as_json:
        json.dump(value, sys.stdout, indent=1, default=str)
        sys.stdout.write("\n")
    else:
        plain(value)
