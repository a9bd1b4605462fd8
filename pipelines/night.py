"""Which night it is. Time enters a run once, here: from --now, the sandbox's own clock, or the wall clock."""

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines import durable
from pipelines import settings as settings_module
from pipelines.home import Home
from pipelines.settings import Settings


def _read(home: Home) -> dict[str, Any]:
    path = home.work / "night.json"
    return json.loads(path.read_text()) if path.exists() else {}


@dataclass(frozen=True)
class Night:
    """The newest run's moment, and whether its work stands."""

    now: dt.datetime
    complete: bool


def newest(home: Home) -> Night | None:
    known = _read(home)
    return Night(dt.datetime.fromisoformat(known["now"]), bool(known["complete"])) if known else None


def current(home: Home) -> dt.datetime:
    """The moment of the newest run; every step of it reads this."""
    known = newest(home)
    if known is None:
        raise FileNotFoundError(f"no night has run in {home.root}: start with `nightdesk nightly`")
    return known.now


def moment(settings: Settings, home: Home, *, advance: bool = False) -> tuple[dt.datetime, int]:
    """When a run would take place, and on which sandbox night. Nothing is written."""
    known = _read(home)
    number = known.get("sandbox_night", 0)
    if settings.now is not None:
        return settings.now.astimezone(dt.UTC), number
    if settings.source == "sandbox":
        from pipelines import sandbox

        number += 1 if advance and known.get("complete") else 0
        return sandbox.night_now(settings, number), number
    return dt.datetime.now(dt.UTC).replace(microsecond=0), number


def refuse_missing_folder(settings: Settings) -> None:
    """Before a home is told that a mistyped folder is its market."""
    if settings.source.startswith("files:"):
        from pipelines.vendors.files import FilesTransport

        FilesTransport(Path(settings.source.removeprefix("files:")).expanduser())


def settle(settings: Settings, home: Home, run_id: str, *, advance: bool = False) -> dt.datetime:
    """Fix a run's moment, once.

    The sandbox stands still unless `advance`, and moves on only from a night whose work is complete: a killed night
    is finished first.
    """
    if _read(home).get("run_id") == run_id:
        return current(home)
    refuse_missing_folder(settings)
    now, number = moment(settings, home, advance=advance)
    durable.write_json(home.root / settings_module.MARKET, settings_module.market_of(settings), failpoint="market")
    durable.write_json(
        home.work / "night.json",
        {"now": now.isoformat(), "sandbox_night": number, "run_id": run_id, "complete": False},
        failpoint="night",
    )
    return now


def complete(home: Home) -> None:
    """Tonight's work stands: the next advancing run may let another night happen."""
    durable.write_json(home.work / "night.json", {**_read(home), "complete": True}, failpoint="night")
