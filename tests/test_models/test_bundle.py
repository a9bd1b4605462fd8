"""What the loader takes, and everything that it must refuse before a native parser sees it."""

import datetime as dt
import os
import pickle
from dataclasses import replace

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from models import bundle, golden, structure
from models.bundle import CONTENTS, MANIFEST, SIGNATURE, BundleRefused, load
from models.manifest import Manifest
from tests.test_models import little_bundle
from tests.test_models.little_bundle import NOW, PUBLIC, contents, write


def refused(path, **changes):
    asked = {"verify_keys": [PUBLIC], "last_seq": 0, "now": NOW, **changes}
    with pytest.raises(BundleRefused) as caught:
        load(path, **asked)
    return caught.value.reason


@pytest.fixture
def native_parsers_watched(monkeypatch):
    """Fails the test when anything is parsed that should have been refused unread."""
    def parsed(*_args, **_kwargs):
        pytest.fail("a parser ran before the signature and the digests had passed")

    monkeypatch.setattr(bundle, "_parse", parsed)


def test_a_good_bundle_loads_and_decides_as_where_it_was_made(tmp_path):
    loaded = load(write(tmp_path / "b"), [PUBLIC], 2, NOW)
    assert loaded.seq == 3 and loaded.strategy.name == "little"
    assert loaded.snapshot.panel.features == loaded.strategy.features
    assert loaded.snapshot.slow[0].name == "iv30" and loaded.calendar[0].session == dt.date(2025, 7, 1)
    assert golden.differences(contents()["golden.safetensors"], loaded.strategy, loaded.models, loaded.snapshot) == []


def test_the_digest_is_of_what_is_in_it_not_of_when_it_was_made(tmp_path):
    first, later = (load(write(tmp_path / str(n), seq=n), [PUBLIC], 0, NOW) for n in (3, 4))
    assert first.digest == later.digest and first.seq != later.seq
    assert load(write(tmp_path / "other", seed=1), [PUBLIC], 0, NOW).digest != first.digest


def test_every_bit_of_the_manifest_is_signed(tmp_path, native_parsers_watched):
    path = write(tmp_path / "b")
    good = (path / MANIFEST).read_bytes()
    signature = (path / SIGNATURE).read_bytes()
    rng = np.random.default_rng(0)
    for at in range(len(good)):
        bad = bytearray(good)
        bad[at] ^= 1 << int(rng.integers(8))
        assert not bundle._signed_by_any(bytes(bad), signature, [PUBLIC])
        if at % 50 == 0:  # the whole loader, which reads every file, now and then
            (path / MANIFEST).write_bytes(bad)
            assert "not signed" in refused(path)
    (path / MANIFEST).write_bytes(good)
    for at in range(64):
        bad = bytearray(signature)
        bad[at] ^= 1
        (path / SIGNATURE).write_bytes(bad)
        assert "not signed" in refused(path)


def test_no_byte_of_any_file_can_change(tmp_path, native_parsers_watched):
    path = write(tmp_path / "b")
    rng = np.random.default_rng(1)
    for name in CONTENTS:
        good = (path / name).read_bytes()
        for at in rng.integers(len(good), size=25):
            bad = bytearray(good)
            bad[at] ^= 1 << int(rng.integers(8))
            (path / name).write_bytes(bad)
            assert name in refused(path)
        for length in (0, 1, len(good) // 2, len(good) - 1):
            (path / name).write_bytes(good[:length])
            assert name in refused(path)
        (path / name).write_bytes(good)


def test_files_of_another_valid_bundle_do_not_fit(tmp_path, native_parsers_watched):
    path, other = write(tmp_path / "a"), write(tmp_path / "b", seed=1)
    for name in ("gbm.txt", "gnn.safetensors", "hmm.json", MANIFEST, SIGNATURE):
        kept = (path / name).read_bytes()
        (path / name).write_bytes((other / name).read_bytes())
        refused(path)
        (path / name).write_bytes(kept)


def test_order_expiry_and_keys(tmp_path, native_parsers_watched):
    path = write(tmp_path / "b", seq=3)
    assert "not newer" in refused(path, last_seq=4)
    assert "not newer" in refused(path, last_seq=3)
    assert "not newer" in refused(path, last_seq=3, last_digest="0" * 64)
    assert "expired" in refused(path, now=NOW + dt.timedelta(days=8))
    stranger = Ed25519PrivateKey.from_private_bytes(bytes(reversed(range(32)))).public_key().public_bytes_raw()
    assert "not signed" in refused(path, verify_keys=[stranger])
    assert "not signed" in refused(path, verify_keys=[])


def test_a_restart_and_a_second_key_are_taken(tmp_path):
    path = write(tmp_path / "b", seq=3)
    first = load(path, [PUBLIC], 0, NOW)
    assert load(path, [PUBLIC], 3, NOW, last_digest=first.digest).seq == 3
    stranger = Ed25519PrivateKey.from_private_bytes(bytes(reversed(range(32)))).public_key().public_bytes_raw()
    assert load(path, [stranger, PUBLIC], 0, NOW).seq == 3


def test_strangers_links_and_giants_are_refused(tmp_path, native_parsers_watched):
    path = write(tmp_path / "b")
    (path / "extra.txt").write_text("hello")
    assert "extra.txt" in refused(path)
    (path / "extra.txt").unlink()
    (path / "gbm.txt").rename(tmp_path / "gbm.txt")
    assert "gbm.txt" in refused(path)
    (path / "gbm.txt").symlink_to(tmp_path / "gbm.txt")
    assert "link" in refused(path)
    (path / "gbm.txt").unlink()
    os.mkfifo(path / "gbm.txt")
    assert "no plain file" in refused(path)
    (path / "gbm.txt").unlink()
    with open(path / "gbm.txt", "wb") as giant:
        giant.truncate(bundle.MOST_BYTES["gbm.txt"] + 1)  # sparse: nothing lies on the disk
    assert "larger" in refused(path)
    (tmp_path / "link").symlink_to(write(tmp_path / "c"))
    assert "folder of its own" in refused(tmp_path / "link")


def test_a_pickle_is_never_taken_even_when_signed(tmp_path):
    for name in CONTENTS:
        path = write(tmp_path / name, **{name.replace(".", "__"): pickle.dumps({"a": 1})})
        assert refused(path)


def test_signed_weights_of_another_fit_fail_the_golden_predictions(tmp_path):
    for name in structure.CHECKS:
        path = write(tmp_path / name, **{name.replace(".", "__"): contents(1)[name]})
        assert "golden" in refused(path)


def test_a_manifest_is_canonical_and_complete():
    data = little_bundle.draft().to_bytes()
    assert Manifest.from_bytes(data).to_bytes() == data
    for bad in (data.replace(b'"seq":3', b'"seq":0'), data.replace(b'"seq":3', b'"seq":"3"'), data + b" ",
                data.replace(b'"rung":"shadow"', b'"rung":"money"'), data.replace(b'"format":1,', b""), b"[]"):
        with pytest.raises(ValueError):
            Manifest.from_bytes(bad)


def test_a_share_of_the_capital_is_told_only_where_it_is_not_all():
    whole, part = (replace(little_bundle.draft(), capital_share=share) for share in (1.0, 0.1))
    assert b"capital_share" not in whole.to_bytes() and Manifest.from_bytes(part.to_bytes()).capital_share == 0.1
    for bad in (b"1.5", b"0.0", b'"0.1"', b"-0.1", b"1.0", b"1", b"null"):
        with pytest.raises(ValueError):
            Manifest.from_bytes(part.to_bytes().replace(b'"capital_share":0.1', b'"capital_share":' + bad))


def test_the_pointer_names_a_bundle_or_nothing(tmp_path):
    assert bundle.current(tmp_path) is None
    (tmp_path / "current").write_text("../../etc/passwd\n")
    with pytest.raises(BundleRefused):
        bundle.current(tmp_path)
    (tmp_path / "current").write_text("000003-0123456789ab\n")
    assert bundle.current(tmp_path) == tmp_path / "000003-0123456789ab"
