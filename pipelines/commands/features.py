"""`nightdesk features list`: the catalogue for a person, a program, a file or a browser."""

from pathlib import Path
from typing import Any

from pipelines import durable
from pipelines import settings as settings_module
from pipelines.commands.options import emit, home_of, overrides
from pipelines.home import Home


def _home(named: Path | None) -> Home | None:
    """The one that was named, else the usual one where it exists: the declarations need none."""
    usual = settings_module.load(overrides(None)).home
    return home_of(named) if named or (usual / "layout.json").exists() else None


def catalogue(json_: bool, home: Path | None, yaml: Path | None, html: Path | None) -> None:
    from pipelines.report import catalogue as page
    from pipelines.store import catalogue as told_by

    found = _home(home)
    told = told_by.entries(found)
    if yaml:
        durable.write_atomic(yaml, told_by.as_yaml(told).encode())
    if html:
        durable.write_atomic(html, page.compose(told).encode())
    if json_ or not (yaml or html):
        emit(told, json_, _print)
    else:
        print(f"{len(told)} features -> {', '.join(str(path) for path in (yaml, html) if path)}")


def _print(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    for heading in ("feature", "view", "look-back", "inputs", "meaning"):
        table.add_column(heading)
    for row in rows:
        table.add_row(row["name"], row["view"], str(row["look_back"]), " ".join(row["inputs"]), row["formula"])
    Console().print(table)
