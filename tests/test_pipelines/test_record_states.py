"""Homes put together at random from true and forged parts: what serves always stands on a record that lets it, on the
rung that it lets it, and is one of the bundles that were truly made."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models import bundle
from models.bundle import MANIFEST, SIGNATURE, BundleRefused
from pipelines.evidence import keys, publish
from pipelines.evidence.records import ANCHOR, GRANTS, RECORD, Records
from pipelines.home import Home
from tests.test_models import little_bundle

NOW = little_bundle.NOW
LATEST = ("promote", "climb", "refresh", "promote", "reject")


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    """Three configurations' acts with a bundle each, after every act a picture of the records as they then stood."""
    folder = tmp_path_factory.mktemp("truth")
    home, stages = Home(folder / "home").prepare(), []
    ours = keys.open_or_create(home.keys)
    contents = little_bundle.contents()
    for number, act in enumerate(LATEST):
        content = {"act": act, "slot": "daily-equity", "strategy": "little", "key": "ab"[number // 3], "night": number,
                   "rung": "canary" if act == "climb" else "shadow"}
        record = Records(home).append(content, {}, NOW, ours)
        if act in GRANTS:
            rung = "canary" if number == 2 else "shadow"
            draft = replace(little_bundle.draft(), evidence_digest=record.content_digest, rung=rung)
            publish.publish(home, contents, draft, ours)
        stages.append(shutil.copytree(home.root, folder / f"stage-{number}"))
    stranger = Home(folder / "stranger").prepare()  # all valid, signed by keys that are not ours
    theirs = keys.open_or_create(stranger.keys)
    content = {"act": "promote", "slot": "daily-equity", "strategy": "little", "key": "z", "night": 9}
    record = Records(stranger).append(content, {}, NOW, theirs)
    publish.publish(stranger, contents, replace(little_bundle.draft(), evidence_digest=record.content_digest), theirs)
    return stages, stranger.root


def _link(source: Path, target: Path) -> None:
    """The same files again, but so that a change of one makes it another file."""
    shutil.copytree(source, target, copy_function=lambda a, b: Path(b).hardlink_to(a))


def _put(path: Path, data: bytes) -> None:
    path.unlink(missing_ok=True)
    path.write_bytes(data)


def forge(home: Path, stages, stranger: Path, chance) -> None:
    """One to four changes: of the pointer, of manifests, of records, of the head, of whole folders."""
    for _ in range(int(chance.integers(1, 5))):
        folders = sorted((home / "bundles").glob("[0-9]*"))
        records = sorted((home / "records").glob("[0-9]*"))
        one = folders[int(chance.integers(len(folders)))] if folders else None
        kind = int(chance.integers(9))
        if kind == 0 and one:
            _put(home / "bundles" / "current", one.name.encode() + b"\n")
        elif kind == 1:
            (home / "bundles" / "current").unlink(missing_ok=True)
        elif kind == 2 and one:
            told = json.loads((one / MANIFEST).read_bytes())
            told |= {"rung": "champion"} if chance.random() < 0.5 else {"evidence_digest": "f" * 64}
            _put(one / MANIFEST, json.dumps(told, sort_keys=True, separators=(",", ":")).encode())
        elif kind == 3 and one:
            other = folders[int(chance.integers(len(folders)))]
            for name in (MANIFEST, SIGNATURE):
                _put(one / name, (other / name).read_bytes())
        elif kind == 4 and records:
            shutil.rmtree(records[-1] if chance.random() < 0.7 else records[int(chance.integers(len(records)))])
        elif kind == 5 and records:
            path = records[int(chance.integers(len(records)))] / RECORD
            if path.exists():
                _put(path, path.read_bytes().replace(b'"reject"', b'"promote"').replace(b'"shadow"', b'"canary"'))
        elif kind == 6:
            stage = stages[int(chance.integers(len(stages)))]
            _put(home / "ledger" / ANCHOR, (stage / "ledger" / ANCHOR).read_bytes())
        elif kind == 7:
            shutil.rmtree(home / "records")
            source = stranger if chance.random() < 0.5 else stages[int(chance.integers(len(stages)))]
            _link(source / "records", home / "records")
        else:
            theirs = next((stranger / "bundles").glob("[0-9]*"))
            shutil.rmtree(home / "bundles" / theirs.name, ignore_errors=True)
            _link(theirs, home / "bundles" / theirs.name)
            _put(home / "bundles" / "current", theirs.name.encode() + b"\n")


def allowed(home: Path, stages) -> dict[str, set[str]]:
    """By the acts' meaning, from the stage whose records these are, byte for byte: evidence digest -> rungs."""
    def bytes_of(root: Path):
        return {str(path.relative_to(root)): path.read_bytes() for path in sorted((root / "records").rglob("*.*"))}

    here = bytes_of(home)
    number = next((at for at, stage in enumerate(stages) if bytes_of(stage) == here), None)
    if number is None:
        return {}
    digests = [json.loads((stages[-1] / "records" / f"{seq + 1:06d}" / RECORD).read_bytes())["content_digest"]
               for seq in range(number + 1)]
    may = {digests[0]: {"shadow"}}
    if number >= 1:
        may[digests[0]].add("canary")
    if number >= 2:
        may[digests[2]] = {"shadow", "canary"}
    if number >= 3:
        may[digests[3]] = {"shadow"}
    return may


@pytest.mark.parametrize("states", [80, pytest.param(10_000, marks=pytest.mark.slow)])
def test_nothing_serves_without_a_valid_record(tmp_path, truth, states):
    stages, stranger = truth
    chance, served, home = np.random.default_rng(states), 0, tmp_path / "home"
    made = {path.read_bytes() for path in (stages[-1] / "bundles").glob("*/" + MANIFEST)}
    trusted = keys.trusted(stages[-1] / "keys")
    for number in range(states):
        _link(stages[int(chance.integers(len(stages)))], home)
        if number % 10:
            forge(home, stages, stranger, chance)
        try:
            folder = publish.check_serving(Home(home))
            if folder is not None:
                bundle.load(folder, trusted, 0, NOW)  # as live does, before it trades
        except (publish.NotPermitted, BundleRefused, ValueError, KeyError, OSError):
            folder = None
        if folder is not None:
            manifest = publish.manifest_of(folder)
            assert (folder / MANIFEST).read_bytes() in made
            assert manifest.rung in allowed(home, stages).get(manifest.evidence_digest, set()), number
            served += 1
        shutil.rmtree(home)
    assert 0.1 * states < served < 0.9 * states  # the states are neither all sound nor all broken
