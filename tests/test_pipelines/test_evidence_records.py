"""Records and keys: signed, chained, anchored; any change is found, and no bundle serves without one."""

import datetime as dt
import json
import shutil
import stat
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models import bundle
from models.bundle import BundleRefused
from pipelines.evidence import inventory, keys, publish
from pipelines.evidence.records import Records, RecordsBroken
from pipelines.home import Home
from tests.test_models import little_bundle

NOW = dt.datetime(2025, 7, 1, 6, tzinfo=dt.UTC)
EVIDENCE = {"returns.safetensors": b"\x01\x02" * 50, "judged.json": b"{}"}


def content(act="promote", **more):
    return {"act": act, "slot": "daily-equity", "strategy": "little", "key": "k", **more}


def desk(folder, acts=("promote", "reject", "refresh")) -> Home:
    home = Home(folder).prepare()
    ours = keys.open_or_create(home.keys)
    for number, act in enumerate(acts):
        Records(home).append(content(act, night=number), EVIDENCE, NOW, ours)
    return home


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """The little bundle's files, fitted once for all tests and for the processes that are killed."""
    folder = tmp_path_factory.mktemp("packed")
    for name, data in little_bundle.contents().items():
        (folder / name).write_bytes(data)
    return folder


def publish_little(home: Home, packed: Path, record=None):
    contents = {path.name: path.read_bytes() for path in packed.iterdir()}
    record = record or Records(home).champion("daily-equity")
    draft = replace(little_bundle.draft(), evidence_digest=record.content_digest)
    return publish.publish(home, contents, draft, keys.open_or_create(home.keys))


def test_keys_are_private_stable_and_rotate(tmp_path):
    first = keys.open_or_create(tmp_path)
    assert stat.S_IMODE((tmp_path / keys.PRIVATE).stat().st_mode) == 0o600
    assert keys.open_or_create(tmp_path).public == first.public and keys.trusted(tmp_path) == (first.public,)
    signature = first.sign(b"said before")
    (tmp_path / keys.PRIVATE).unlink()  # a rotation: the old public half stays trusted
    second = keys.open_or_create(tmp_path)
    assert set(second.trusted) == {first.public, second.public}
    assert keys.verifies(b"said before", signature, second.trusted)
    assert not keys.verifies(b"said before!", signature, second.trusted)
    (tmp_path / keys.PRIVATE).chmod(0o644)
    with pytest.raises(PermissionError, match="chmod 600"):
        keys.open_or_create(tmp_path)


def test_records_chain_verify_and_name_the_champion(tmp_path):
    home = desk(tmp_path)
    records, trusted = Records(home), keys.trusted(home.keys)
    assert records.verify(trusted) == 3
    assert [record.act for record in records.all()] == ["promote", "reject", "refresh"]
    assert records.champion("daily-equity").seq == 3 and records.champion("other") is None
    assert records.last().evidence("returns.safetensors") == EVIDENCE["returns.safetensors"]
    assert inventory.verify(home) == {"ledger": "none yet", "records": "ok", "bundle": "none yet"}


def test_the_same_act_again_is_the_same_record(tmp_path):
    home = desk(tmp_path)
    again = Records(home).append(content("refresh", night=2), EVIDENCE, NOW + dt.timedelta(days=1),
                                 keys.open_or_create(home.keys))
    assert again.seq == 3 and len(Records(home).all()) == 3


def test_what_was_decided_has_one_digest_whoever_signs_it(tmp_path):
    one, other = desk(tmp_path / "a"), desk(tmp_path / "b")
    assert keys.trusted(one.keys) != keys.trusted(other.keys)
    assert [r.content_digest for r in Records(one).all()] == [r.content_digest for r in Records(other).all()]
    with pytest.raises(RecordsBroken):
        Records(one).verify(keys.trusted(other.keys))


def test_every_mutation_is_found(tmp_path):
    home = desk(tmp_path)
    records, trusted = Records(home), keys.trusted(home.keys)
    files = sorted(path for path in home.records.rglob("*") if path.is_file()) + [records.anchor]
    rng, missed = np.random.default_rng(0), []
    for _ in range(500):
        path = files[int(rng.integers(len(files)))]
        good = path.read_bytes()
        at, kind = int(rng.integers(len(good))), int(rng.integers(3))
        bad = {0: good[:at] + bytes([good[at] ^ (1 << int(rng.integers(8)))]) + good[at + 1:],
               1: good[:at] + good[at + 1:], 2: good[:at] + b"0" + good[at:]}[kind]
        path.write_bytes(bad)
        try:
            records.verify(trusted)
            if path != records.anchor or json.loads(bad) != json.loads(good):  # a space in the anchor says nothing
                missed.append((path.name, at, kind))
        except RecordsBroken:
            pass
        path.write_bytes(good)
    assert missed == [] and records.verify(trusted) == 3


def test_cut_swapped_and_inserted_records_are_found(tmp_path):
    home = desk(tmp_path)
    records, trusted = Records(home), keys.trusted(home.keys)
    folders = [home.records / f"{n:06d}" for n in (1, 2, 3)]

    def broken(change):
        shutil.copytree(home.records, tmp_path / "kept")
        change()
        with pytest.raises(RecordsBroken):
            records.verify(trusted)
        shutil.rmtree(home.records)
        (tmp_path / "kept").rename(home.records)

    broken(lambda: shutil.rmtree(folders[2]))
    broken(lambda: (shutil.rmtree(folders[1]), folders[2].rename(folders[1])))
    aside = tmp_path / "aside"
    broken(lambda: (folders[0].rename(aside), folders[1].rename(folders[0]), aside.rename(folders[1])))
    broken(lambda: shutil.copytree(folders[2], home.records / "000004"))
    broken(lambda: (folders[1] / "more.txt").write_text("x"))
    broken(lambda: shutil.rmtree(home.records / "000001"))
    records.anchor.unlink()
    with pytest.raises(RecordsBroken, match="gone"):
        records.verify(trusted)


def test_a_bundle_needs_a_record_that_lets_it(tmp_path, packed):
    home = desk(tmp_path, ("reject",))
    with pytest.raises(publish.NotPermitted):
        publish_little(home, packed, Records(home).last())
    assert publish.published(home) == [] and bundle.current(home.bundles) is None
    Records(home).append(content("promote", night=9), EVIDENCE, NOW, keys.open_or_create(home.keys))
    folder, changed = publish_little(home, packed)
    assert changed and bundle.current(home.bundles) == folder == publish.check_serving(home)
    assert publish_little(home, packed) == (folder, False)
    loaded = bundle.load(folder, keys.trusted(home.keys), 0, NOW)
    assert loaded.seq == 1 and folder.name == f"000001-{loaded.digest[:12]}"
    shutil.rmtree(home.records / "000002")
    with pytest.raises(publish.NotPermitted):
        publish.check_serving(home)
    assert "without a record" in inventory.verify(home)["bundle"]


def test_a_new_act_gives_a_higher_number_and_the_old_one_is_refused(tmp_path, packed):
    home = desk(tmp_path, ("promote",))
    first, _ = publish_little(home, packed)
    Records(home).append(content("refresh", night=1), EVIDENCE, NOW, keys.open_or_create(home.keys))
    second, changed = publish_little(home, packed)
    assert changed and bundle.current(home.bundles) == second != first
    with pytest.raises(BundleRefused, match="not newer"):
        bundle.load(first, keys.trusted(home.keys), 2, NOW)
    listed = inventory.list_bundles(home)
    assert [row["act"] for row in listed] == ["refresh", "promote"]
    assert [one["serving"] for row in listed for one in row["bundles"]] == [True, False]
    assert inventory.show(home, 1)["act"] == "promote"
    with pytest.raises(LookupError, match="there are 1, 2"):
        inventory.show(home, 7)
