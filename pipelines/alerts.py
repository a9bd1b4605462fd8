"""A night that failed or misses something finds its people: a line in the home, and a message to a webhook if set."""

import datetime as dt
import json
import os
from pathlib import Path
from typing import Any

from pipelines.home import Home
from pipelines.progress import say
from pipelines.settings import Settings

FILE = "alerts.jsonl"
_TIMEOUT_S = 10


HEADLINES = {"night_failed": "the night failed", "not_had": "vendors did not give all that was asked for"}


def night_failed(home: Home, settings: Settings, run_id: str, text: str) -> bool:
    """Tell of a run once, whoever notices first: the command that ran it, or the daemon. True where it was told."""
    return _tell(home, settings, run_id, "night_failed", text)


def not_had(home: Home, settings: Settings, run_id: str, text: str) -> bool:
    """Tell what is missing of a night that went on without it; once."""
    return _tell(home, settings, run_id, "not_had", text)


def _tell(home: Home, settings: Settings, run_id: str, kind: str, text: str) -> bool:
    path = home.root / FILE
    if (run_id, kind) in _told(path):
        return False
    moment = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    alert = {"at": moment, "run_id": run_id, "kind": kind, "text": text[:2000], "home": str(home.root)}
    with open(path, "a", encoding="utf-8") as out:
        out.write(json.dumps(alert) + "\n")
        out.flush()
        os.fsync(out.fileno())
    if settings.alerts.webhook:
        _post(settings.alerts.webhook, {"text": f"Nightdesk: {HEADLINES[kind]}. {alert['text']}", **alert})
    return True


def _told(path: Path) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            known = json.loads(line)
            found.add((known["run_id"], known["kind"]))
        except (ValueError, KeyError, TypeError):
            continue  # the line at which a writer was killed
    return found


def _post(address: str, message: dict[str, Any]) -> None:
    """A webhook that does not answer is said, and stops nothing: the night has failed already."""
    import httpx

    try:
        answer = httpx.post(address, json=message, timeout=_TIMEOUT_S)
        if answer.status_code >= 400:
            say(f"  the alert's webhook answered {answer.status_code}; the alert stands in {FILE}")
    except (httpx.HTTPError, httpx.InvalidURL) as problem:
        say(f"  the alert's webhook did not take it ({type(problem).__name__}); the alert stands in {FILE}")
