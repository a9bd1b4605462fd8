"""Which night it is. Time enters a run once, here: from --now, the sandbox's own clock, or the wall clock."""

import datetime as dt

from pipelines import durable
from pipelines.home import Home
from pipelines.settings import Settings


def _stamp_path(home: Home):  # type: ignore[no-untyped-def]
    return home.work / "night.json"


def current(settings: Settings, home: Home) -> dt.datetime:
    """The night that was settled for this run, the same for all its steps."""
    import json

    path = _stamp_path(home)
    if path.exists():
        return dt.datetime.fromisoformat(json.loads(path.read_text())["now"])
    return settle(settings, home)


def settle(settings: Settings, home: Home, *, advance: bool = False) -> dt.datetime:
    """Fix the run's moment. The sandbox stands still unless `advance`, and only once its last night is complete."""
    import json

    path = _stamp_path(home)
    known = json.loads(path.read_text()) if path.exists() else {}
    if settings.now is not None:
        now = settings.now.astimezone(dt.UTC)
    elif settings.source == "sandbox":
        from pipelines import sandbox

        number = known.get("sandbox_night", 0) + (1 if advance and known.get("complete") else 0)
        now = sandbox.night_now(settings, number)
        known["sandbox_night"] = number
    else:
        now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    unchanged = known.get("now") == now.isoformat()
    durable.write_json(path, {**known, "now": now.isoformat(), "complete": unchanged and known.get("complete", False)})
    return now


def complete(home: Home) -> None:
    """Tonight's work stands: the next `--next` may let another night happen."""
    import json

    path = _stamp_path(home)
    durable.write_json(path, {**json.loads(path.read_text()), "complete": True})
