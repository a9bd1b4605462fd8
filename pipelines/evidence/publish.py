"""Make a signed bundle visible to live, whole or not at all, and only behind a record that lets it trade."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from models import bundle as bundle_module
from models.manifest import Manifest
from pipelines import calendars, durable
from pipelines.evidence.keys import Keys
from pipelines.evidence.records import GRANTS, Records
from pipelines.home import Home

LIFE_SESSIONS = 5
CALENDAR_SESSIONS = 60


class NotPermitted(RuntimeError):
    """A bundle without a valid record."""


def calendar_after(session: dt.date) -> tuple[bundle_module.SessionTimes, ...]:
    """The sessions that live will see, with their opens and closes: live itself has no calendar library."""
    return tuple(bundle_module.SessionTimes(day, calendars.open_at(day), calendars.close_at(day))
                 for day in calendars.next_sessions(session, CALENDAR_SESSIONS))


def expiry(last_session: dt.date) -> dt.datetime:
    """Close of the last session that a bundle knowing bars up to `last_session` may trade."""
    return calendars.close_at(calendars.next_sessions(last_session, LIFE_SESSIONS)[-1])


def published(home: Home) -> list[Path]:
    """Bundles by sequence number, oldest first."""
    return sorted(home.bundles.glob("[0-9]*-*")) if home.bundles.exists() else []


def manifest_of(folder: Path) -> Manifest:
    return Manifest.from_bytes((folder / bundle_module.MANIFEST).read_bytes())


def publish(home: Home, contents: Mapping[str, bytes], draft: Manifest, keys: Keys) -> tuple[Path, bool]:
    """(folder, whether anything changed). `draft.seq` is set here; the newest bundle is taken up again if it is this
    very one, so that a killed publication ends where it would have."""
    permit = [record for record in Records(home).all() if record.content_digest == draft.evidence_digest]
    if not permit or permit[-1].act not in GRANTS:
        raise NotPermitted(f"no record lets {draft.strategy} trade: evidence {draft.evidence_digest[:12]} is unknown")
    older = published(home)
    newest = manifest_of(older[-1]) if older else None
    packed = bundle_module.pack(contents, replace(draft, seq=newest.seq + 1 if newest else 1), keys.sign)
    made = Manifest.from_bytes(packed[bundle_module.MANIFEST])
    if newest is not None and newest.digest == made.digest and newest.expires == made.expires:
        folder, changed = older[-1], False
    else:
        folder, changed = home.bundles / f"{made.seq:06d}-{made.digest[:12]}", True
        staging = durable.fresh_staging(home.bundles, folder.name)
        for name, data in packed.items():
            (staging / name).write_bytes(data)
        durable.publish_dir(staging, folder, failpoint="bundle")
    pointer = home.bundles / bundle_module.POINTER
    if not pointer.exists() or pointer.read_text().strip() != folder.name:
        changed = True
        durable.write_atomic(pointer, folder.name.encode() + b"\n", failpoint="bundle_pointer")
    return folder, changed


def check_serving(home: Home) -> Path | None:
    """The bundle that the pointer names, if a record lets it trade; None where nothing serves."""
    folder = bundle_module.current(home.bundles)
    if folder is None:
        return None
    wanted = manifest_of(folder).evidence_digest
    if not any(record.content_digest == wanted and record.act in GRANTS for record in Records(home).all()):
        raise NotPermitted(f"{folder.name} serves without a record that lets it")
    return folder
