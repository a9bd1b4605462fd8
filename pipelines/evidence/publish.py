"""Make a signed bundle visible to live, whole or not at all, and only behind a record that lets it trade."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from models import bundle as bundle_module
from models.manifest import Manifest
from pipelines import calendars, durable, failpoints
from pipelines.evidence import keys as keys_module
from pipelines.evidence.keys import Keys
from pipelines.evidence.records import Records, RecordsBroken
from pipelines.evidence.standing import standing
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
    if not standing(Records(home).all(), draft.slot).may_serve(draft.evidence_digest, draft.rung):
        raise NotPermitted(f"no record lets {draft.strategy} trade on the rung {draft.rung}: evidence "
                           f"{draft.evidence_digest[:12]} is unknown or lower")
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
    return folder, point_to(home, folder) or changed


def point_to(home: Home, folder: Path) -> bool:
    """Let live read this bundle; whether it did not before."""
    pointer = home.bundles / bundle_module.POINTER
    if pointer.exists() and pointer.read_text().strip() == folder.name:
        return False
    durable.write_atomic(pointer, folder.name.encode() + b"\n", failpoint="bundle_pointer")
    return True


def republish(home: Home, folder: Path, now: dt.datetime, keys: Keys, rung: str | None = None,
              share: float | None = None) -> Path:
    """An older bundle under a new, higher number: the same weights and the same last session, freshly signed, on the
    rung that it has now. Verified whole before, as live will verify it after."""
    old = manifest_of(folder)
    bundle_module.load(folder, keys.trusted, 0, min(now, old.expires))
    contents = {name: (folder / name).read_bytes() for name in bundle_module.CONTENTS}
    return publish(home, contents, replace(old, created=now, files={}, rung=rung or old.rung,
                                           capital_share=share or old.capital_share), keys)[0]


def withdraw(home: Home) -> str | None:
    """Take away what live reads, if anything; its folder's name. A runner without a bundle stays flat."""
    folder = bundle_module.current(home.bundles)
    if folder is None:
        return None
    failpoints.reached("bundle_withdrawn.staged")
    (home.bundles / bundle_module.POINTER).unlink()
    durable.fsync_path(home.bundles)
    return folder.name


def check_serving(home: Home) -> Path | None:
    """The bundle that the pointer names, if a record lets it trade; None where nothing serves."""
    folder = bundle_module.current(home.bundles)
    if folder is None:
        return None
    records = Records(home)
    try:
        records.verify(keys_module.trusted(home.keys))  # a record that nobody signed lets nothing
    except RecordsBroken as error:
        raise NotPermitted(f"{folder.name} serves without a record that lets it: {error}") from error
    manifest = manifest_of(folder)
    held = standing(records.all(), manifest.slot)
    if not held.may_serve(manifest.evidence_digest, manifest.rung):
        why = f", stopped by record {held.killed.seq}" if held.killed else ""
        raise NotPermitted(f"{folder.name} serves without a record that lets it on the rung {manifest.rung}{why}")
    return folder
