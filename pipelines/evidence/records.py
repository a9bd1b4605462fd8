"""Who let what trade, and on what evidence: one signed, chained record an act, its head anchored in a second place."""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.manifest import canonical
from pipelines import durable
from pipelines.evidence import keys as keys_module
from pipelines.evidence.keys import Keys
from pipelines.home import Home

GENESIS = "0" * 64
RECORD, SIGNATURE, ANCHOR = "record.json", "record.sig", "records.head"
GRANTS = ("promote", "refresh", "override")  # acts that let a bundle trade


class RecordsBroken(RuntimeError):
    """The chain of records does not hold: what trades on it cannot be justified."""


@dataclass(frozen=True)
class Record:
    """`content` is what was decided; `content_digest` does not depend on when, by which key, or as which number."""

    seq: int
    content: Mapping[str, Any]
    content_digest: str
    sha256: str
    recorded_at: str
    key_id: str
    folder: Path

    @property
    def act(self) -> str:
        return str(self.content["act"])

    def evidence(self, name: str) -> bytes:
        """An evidence file's bytes, if they are still those that were judged."""
        data = (self.folder / name).read_bytes()
        if hashlib.sha256(data).hexdigest() != self.content["evidence"][name]:
            raise RecordsBroken(f"{self.folder / name} is not the evidence that was judged")
        return data


class Records:
    """records/<seq>/ {record.json, record.sig, evidence files}; ledger/records.head names the last one."""

    def __init__(self, home: Home) -> None:
        self.folder = home.records
        self.anchor = home.ledger / ANCHOR

    def _folders(self) -> list[Path]:
        found = self.folder.glob("[0-9]*") if self.folder.exists() else []
        return sorted(path for path in found if path.name.isdecimal())

    def _read(self, folder: Path) -> Record:
        data = (folder / RECORD).read_bytes()
        told = json.loads(data)
        return Record(told["seq"], told["content"], told["content_digest"], hashlib.sha256(data).hexdigest(),
                      told["recorded_at"], told["key_id"], folder)

    def all(self) -> list[Record]:
        return [self._read(folder) for folder in self._folders()]

    def last(self) -> Record | None:
        folders = self._folders()
        return self._read(folders[-1]) if folders else None

    def judged(self) -> Record | None:
        """The newest act that came of a judgement, not of a person alone."""
        return next((record for record in reversed(self.all()) if "inputs_digest" in record.content), None)

    def champion(self, slot: str) -> Record | None:
        """The judged record behind what holds this slot."""
        from pipelines.evidence.standing import standing

        return standing(self.all(), slot).champion

    def append(self, content: Mapping[str, Any], evidence: Mapping[str, bytes], now: dt.datetime, keys: Keys) -> Record:
        """Write one act down. The same content as the last act's is the last act: a rerun adds nothing."""
        told = {**content, "evidence": {name: hashlib.sha256(data).hexdigest() for name, data in evidence.items()}}
        from pipelines.evidence.provenance import made_by

        digest = hashlib.sha256(canonical(told)).hexdigest()
        last = self.last()
        if last is None or last.content_digest != digest:
            seq = last.seq + 1 if last else 1
            body = canonical({"seq": seq, "prev": last.sha256 if last else GENESIS, "recorded_at": now.isoformat(),
                              "key_id": keys.id, "content": told, "content_digest": digest, "made_by": made_by()})
            staging = durable.fresh_staging(self.folder, f"{seq:06d}")
            for name, data in {**evidence, RECORD: body, SIGNATURE: keys.sign(body)}.items():
                (staging / name).write_bytes(data)
            final = self.folder / f"{seq:06d}"
            durable.publish_dir(staging, final, failpoint="record")
            last = self._read(final)
        self.write_anchor(last)
        return last

    def write_anchor(self, last: Record) -> None:
        """Say outside the chain how long it is, so that a cut tail is seen. Also finishes an act that was killed."""
        durable.write_json(self.anchor, {"seq": last.seq, "sha256": last.sha256}, failpoint="record_head")

    def finish(self) -> None:
        """Anchor an act that was killed between its record and its anchor."""
        last = self.last()
        if last is not None and not (self.anchor.exists() and json.loads(self.anchor.read_bytes())["seq"] == last.seq):
            self.write_anchor(last)

    def verify(self, trusted: tuple[bytes, ...]) -> int:
        """Every record, signature, evidence file and the anchored head; how many stand, or RecordsBroken."""
        anchor = self.anchor.read_bytes() if self.anchor.exists() else None
        return verify_chain(((folder.name, _files_of(folder)) for folder in self._folders()), anchor, trusted)


def _files_of(folder: Path) -> dict[str, bytes]:
    """A record's files; none where they cannot be read, which no record can be."""
    try:
        return {path.name: path.read_bytes() for path in folder.iterdir()}
    except OSError:
        return {}


def _sound(name: str, files: Mapping[str, bytes], place: int, previous: str, trusted: tuple[bytes, ...]) -> bool:
    """Whether a folder is the record at this place of the chain, whole, and signed by a key we trust."""
    try:
        data = files[RECORD]
        told = json.loads(data)
        content = told["content"]
        return (told["seq"] == place == int(name) and told["prev"] == previous
                and set(files) == {RECORD, SIGNATURE, *content["evidence"]}
                and all(hashlib.sha256(files[one]).hexdigest() == digest for one, digest in content["evidence"].items())
                and canonical(told) == data
                and told["content_digest"] == hashlib.sha256(canonical(content)).hexdigest()
                and keys_module.verifies(data, files[SIGNATURE], trusted))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False


def verify_chain(folders: Iterable[tuple[str, Mapping[str, bytes]]], anchor: bytes | None,
                 trusted: tuple[bytes, ...]) -> int:
    """`folders` are the records' names and files in order, `anchor` the head as it was told elsewhere."""
    digests = [GENESIS]
    for place, (name, files) in enumerate(folders, 1):
        if not _sound(name, files, place, digests[-1], trusted):
            raise RecordsBroken(f"record {name}, its evidence or its place is not what was signed")
        digests.append(hashlib.sha256(files[RECORD]).hexdigest())
    _verify_anchor(anchor, digests)
    return len(digests) - 1


def _verify_anchor(anchor: bytes | None, digests: list[str]) -> None:
    if anchor is None:
        if len(digests) > 2:  # the first record may have been killed before its anchor
            raise RecordsBroken(f"{ANCHOR} is gone: the chain may have been cut")
        return
    try:
        told = json.loads(anchor)
        place, sha256 = told["seq"], told["sha256"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RecordsBroken(f"{ANCHOR} cannot be read") from error
    # One record more than anchored is an act whose last step was killed; it is signed, and the next act mends it.
    if not (type(place) is int and len(digests) - 2 <= place <= len(digests) - 1 and digests[place] == sha256):
        raise RecordsBroken(f"the chain has {len(digests) - 1} records, and {ANCHOR} remembers record {place}: its "
                            "tail was cut or replaced")
