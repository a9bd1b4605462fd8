"""The one contract with live: a signed manifest over weights and data, verified before any of it is parsed."""

import datetime as dt
import hashlib
import json
import os
import re
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from models.manifest import FileEntry, Manifest, canonical

if TYPE_CHECKING:
    from models.snapshot import Snapshot
    from models.strategy import Models, StrategyConfig

MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
POINTER = "current"
MEGABYTE = 1_000_000
# Every file of a bundle and the most it may weigh; read no further than that, and take no other.
MOST_BYTES = {
    MANIFEST: MEGABYTE, SIGNATURE: 64, "strategy.json": MEGABYTE, "gbm.txt": 64 * MEGABYTE, "hmm.json": MEGABYTE,
    "gnn.safetensors": 64 * MEGABYTE, "snapshot.safetensors": 512 * MEGABYTE, "snapshot.json": 16 * MEGABYTE,
    "calendar.json": MEGABYTE, "golden.safetensors": 16 * MEGABYTE,
}
CONTENTS = tuple(sorted(set(MOST_BYTES) - {MANIFEST, SIGNATURE}))


class BundleRefused(RuntimeError):
    """A bundle that must not trade. `reason` is one plain sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class SessionTimes:
    session: dt.date
    open_at: dt.datetime
    close_at: dt.datetime


@dataclass(frozen=True)
class Bundle:
    """A verified bundle, parsed. `digest` is of weights and manifest without created, expires, seq and signature."""

    path: Path
    manifest: Manifest
    digest: str
    strategy: "StrategyConfig"
    models: "Models"
    snapshot: "Snapshot"
    calendar: tuple[SessionTimes, ...]  # the coming 60 sessions

    @property
    def seq(self) -> int:
        return self.manifest.seq


def calendar_to_bytes(calendar: Sequence[SessionTimes]) -> bytes:
    return canonical([[times.session.isoformat(), times.open_at.isoformat(), times.close_at.isoformat()]
                      for times in calendar])


def calendar_from_bytes(data: bytes) -> tuple[SessionTimes, ...]:
    calendar = tuple(
        SessionTimes(dt.date.fromisoformat(day), dt.datetime.fromisoformat(opens), dt.datetime.fromisoformat(closes))
        for day, opens, closes in json.loads(data)
    )
    instants = [at for times in calendar for at in (times.open_at, times.close_at)]
    if not instants or instants != sorted(set(instants)):
        raise ValueError("its sessions do not follow each other")
    return calendar


def pack(contents: Mapping[str, bytes], draft: Manifest, sign: Callable[[bytes], bytes]) -> dict[str, bytes]:
    """All files of a bundle: `contents` as they are, the draft manifest completed with their digests, the signature."""
    if tuple(sorted(contents)) != CONTENTS:
        raise ValueError(f"a bundle holds {', '.join(CONTENTS)}, not {', '.join(sorted(contents))}")
    files = {name: FileEntry(hashlib.sha256(contents[name]).hexdigest(), len(contents[name])) for name in CONTENTS}
    manifest = replace(draft, files=files).to_bytes()
    return {**contents, MANIFEST: manifest, SIGNATURE: sign(manifest)}


def _read_all(path: Path) -> dict[str, bytes]:
    """Every file's bytes, read once; links, strangers and oversize are refused before anything is opened further."""
    if path.is_symlink() or not path.is_dir():
        raise BundleRefused(f"{path} is no folder of its own")
    found = set(os.listdir(path))
    if found != set(MOST_BYTES):
        odd = sorted(found ^ set(MOST_BYTES))
        raise BundleRefused(f"files are missing or do not belong: {', '.join(odd)[:200]}")
    contents = {}
    for name, most in MOST_BYTES.items():
        try:
            handle = os.open(path / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            raise BundleRefused(f"{name} is a link or cannot be opened ({error.strerror})") from error
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise BundleRefused(f"{name} is no plain file")
            contents[name] = file.read(most + 1)
        if len(contents[name]) > most:
            raise BundleRefused(f"{name} is larger than {most:,} bytes")
    return contents


def _signed_by_any(manifest: bytes, signature: bytes, verify_keys: Sequence[bytes]) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    for key in verify_keys:
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(signature, manifest)
            return True
        except (InvalidSignature, ValueError):
            continue
    return False


def _refuse_changed(manifest: Manifest, contents: Mapping[str, bytes]) -> None:
    if tuple(sorted(manifest.files)) != CONTENTS:
        raise BundleRefused("the manifest does not name the files of a bundle")
    for name, entry in manifest.files.items():
        data = contents[name]
        if len(data) != entry.size_bytes or hashlib.sha256(data).hexdigest() != entry.sha256:
            raise BundleRefused(f"{name} is not the file that was signed")


def load(
    path: Path, verify_keys: Sequence[bytes], last_seq: int, now: dt.datetime, *, last_digest: str | None = None
) -> Bundle:
    """Law 4's order, all of it, or BundleRefused. `verify_keys` are raw 32-byte Ed25519 public keys. `last_seq` is the
    newest sequence number ever taken here (0 at first); the same one passes only with `last_digest`, on a restart."""
    contents = _read_all(path)
    if not _signed_by_any(contents[MANIFEST], contents[SIGNATURE], verify_keys):
        raise BundleRefused("the manifest is not signed by a key we trust")
    try:
        manifest = Manifest.from_bytes(contents[MANIFEST])
    except (ValueError, RecursionError) as error:
        raise BundleRefused(f"the manifest is malformed: {error}") from error
    _refuse_changed(manifest, contents)
    if manifest.seq < last_seq or (manifest.seq == last_seq and manifest.digest != last_digest):
        raise BundleRefused(f"sequence number {manifest.seq} is not newer than {last_seq}, which was already taken")
    if now > manifest.expires:
        raise BundleRefused(f"it expired on {manifest.expires:%Y-%m-%d %H:%M} UTC")
    return _parse(path, manifest, contents)


def _parse(path: Path, manifest: Manifest, contents: Mapping[str, bytes]) -> Bundle:
    """Schema, structure, golden predictions: from bytes that are known to be the signed ones."""
    from models import golden, structure
    from models.snapshot import Snapshot
    from models.strategy import Models, StrategyConfig

    part = "strategy.json"
    try:
        strategy = StrategyConfig.from_json(contents[part])
        part = "calendar.json"
        calendar = calendar_from_bytes(contents[part])
        part = "snapshot"
        snapshot = Snapshot.from_files(contents["snapshot.safetensors"], contents["snapshot.json"])
        for part, check in structure.CHECKS.items():
            check(contents[part])
        part = "weights"
        models = Models.from_bytes(hmm=contents["hmm.json"], gbm=contents["gbm.txt"], gnn=contents["gnn.safetensors"])
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise BundleRefused(f"{part} is malformed: {error}") from error
    if strategy.key() != manifest.strategy_key or strategy.slot != manifest.slot:
        raise BundleRefused("the strategy is not the one that the manifest names")
    columns = snapshot.panel.features
    if len(manifest.features) != len(columns) or any(
        name not in (entry.name, entry.ref) for name, entry in zip(columns, manifest.features, strict=True)
    ):
        raise BundleRefused("the snapshot's features are not in the manifest's order")
    wrong = golden.differences(contents["golden.safetensors"], strategy, models, snapshot)
    if wrong:
        raise BundleRefused(f"golden predictions differ: {'; '.join(wrong)}")
    return Bundle(path, manifest, manifest.digest, strategy, models, snapshot, calendar)


def current(bundles: Path) -> Path | None:
    """The folder that the pointer names, or None while nothing was published."""
    pointer = bundles / POINTER
    if not pointer.is_file():
        return None
    name = pointer.read_text().strip()
    if not re.fullmatch(r"\d{6}-[0-9a-f]{12}", name):
        raise BundleRefused(f"the pointer {pointer} names no bundle")
    return bundles / name
