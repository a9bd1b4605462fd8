"""Ten thousand ways to change the records, and ten thousand slots: no change is missed, nothing serves unpermitted."""

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pytest

from pipelines.evidence import keys, publish
from pipelines.evidence.records import RECORD, SIGNATURE, Record, Records, RecordsBroken, verify_chain
from pipelines.evidence.standing import ACTS, standing
from pipelines.home import Home
from tests.test_pipelines.test_evidence_records import desk

NOW = dt.datetime(2025, 7, 1, 6, tzinfo=dt.UTC)
MUTATIONS = 10_000


def in_memory(home: Home):
    found = {folder.name: {path.name: path.read_bytes() for path in folder.iterdir()}
             for folder in sorted(home.records.glob("[0-9]*"))}
    return found, Records(home).anchor.read_bytes()


def holds(found, anchor, trusted) -> bool:
    try:
        verify_chain(sorted(found.items()), anchor, trusted)
        return True
    except RecordsBroken:
        return False


def changed_bytes(data: bytes, chance) -> bytes:
    at, kind = int(chance.integers(len(data))), int(chance.integers(5))
    other = bytes([data[at] ^ (1 << int(chance.integers(8)))])
    return {0: data[:at] + other + data[at + 1:], 1: data[:at] + data[at + 1:], 2: data[:at] + b"0" + data[at:],
            3: data[:at], 4: data[:at] + data[at:][::-1]}[kind]


def mutate(found, anchor, chance):
    """One change somebody might make: of bytes, of files, of the order, of the length, of the head."""
    names = sorted(found)
    one, other = (names[int(at)] for at in chance.integers(len(names), size=2))
    found = {name: dict(files) for name, files in found.items()}
    file = sorted(found[one])[int(chance.integers(len(found[one])))]
    kind = int(chance.integers(10))
    if kind < 4:
        found[one][file] = changed_bytes(found[one][file], chance)
    elif kind == 4:
        anchor = changed_bytes(anchor, chance)
    elif kind == 5:
        found[one], found[other] = found[other], found[one]
    elif kind == 6:
        found[one][file] = found[other].get(file, b"")
    elif kind == 7:
        del found[one][file]
    elif kind == 8:
        for name in names[int(chance.integers(len(names))):] if chance.random() < 0.5 else (one,):
            del found[name]
    else:
        told = json.loads(found[one][RECORD])  # a forger with a key of his own
        told["content"]["reason"] = "trust me"
        body = json.dumps(told, sort_keys=True, separators=(",", ":")).encode()
        found[one] |= {RECORD: body, SIGNATURE: chance.bytes(64)}
    return found, anchor


def test_ten_thousand_changes_of_the_records_are_all_found(tmp_path):
    home = desk(tmp_path, ("promote", "reject", "refresh", "rollback", "kill"))
    good, anchor = in_memory(home)
    trusted = keys.trusted(home.keys)
    assert holds(good, anchor, trusted)
    chance, tried, missed = np.random.default_rng(0), 0, []
    while tried < MUTATIONS:
        found, head = mutate(good, anchor, chance)
        if found == good and (head == anchor or _says(head) == _says(anchor)):
            continue  # two of the same file swapped, or a space in the anchor: nothing was changed
        tried += 1
        if holds(found, head, trusted):
            missed.append(tried)
    assert missed == []


def _says(anchor: bytes):
    try:
        return json.loads(anchor)
    except ValueError:
        return None


def test_a_head_one_behind_its_chain_is_a_killed_act_and_nothing_else(tmp_path):
    home = desk(tmp_path, ("promote", "reject", "refresh"))
    found, _ = in_memory(home)
    trusted = keys.trusted(home.keys)
    head = {seq: json.dumps({"seq": seq, "sha256": json.loads(found[f"{seq + 1:06d}"][RECORD])["prev"]}).encode()
            for seq in (1, 2)}
    assert holds(found, head[2], trusted) and not holds(found, head[1], trusted)
    assert not holds(found, head[2].replace(b'"seq": 2', b'"seq": true'), trusted)


def record(seq, act, names=None, rung="shadow"):
    content = {"act": act, "slot": "s", "rung": rung, **({"names": names} if names else {})}
    return Record(seq, content, f"digest {seq}", "", "", "", Path())


def history(chance):
    """A slot's acts at random, and by hand what may serve after each: the oracle knows only the acts' meaning."""
    acts, granted, dead = [], {}, False
    for seq in range(1, int(chance.integers(2, 14))):
        act = ACTS[int(chance.integers(len(ACTS)))]
        names = None
        if act == "rollback":
            if not granted:
                continue
            names = {"record": list(granted)[int(chance.integers(len(granted)))]}
        acts.append(record(seq, act, names))
        if act in ("promote", "refresh", "override"):
            granted[f"digest {seq}"] = True
        granted = {} if act == "demote" else granted
        dead = {"kill": True, "reset": False}.get(act, dead)
    return acts, set() if dead else set(granted)


def test_in_ten_thousand_slots_only_what_an_act_let_through_may_serve():
    chance = np.random.default_rng(1)
    served = 0
    for _ in range(10_000):
        acts, allowed = history(chance)
        held = standing(acts, "s")
        assert {one.content_digest for one in acts if held.may_serve(one.content_digest)} == allowed
        assert not held.may_serve("digest 999") and not standing(acts, "other").permitted
        assert held.champion is None or held.champion.content_digest in held.permitted  # one at most, and a valid one
        served += bool(allowed)
    assert 3_000 < served < 9_000


def test_a_bundle_does_not_serve_on_a_record_that_nobody_signed(tmp_path):
    from tests.test_models import little_bundle

    home = desk(tmp_path, ("promote",))
    folder, _ = publish.publish(home, little_bundle.contents(), _draft(home), keys.open_or_create(home.keys))
    assert publish.check_serving(home) == folder
    signature = home.records / "000001" / SIGNATURE
    signature.write_bytes(bytes(64))
    with pytest.raises(publish.NotPermitted, match="not what was signed"):
        publish.check_serving(home)


def _draft(home):
    from dataclasses import replace

    from tests.test_models import little_bundle

    return replace(little_bundle.draft(), evidence_digest=Records(home).all()[-1].content_digest)
