"""Bundles made to harm, even by someone who holds our key: each is refused in words, and none reaches a native parser
that it could hurt."""

import json
import struct
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from models import bundle
from models.bundle import CONTENTS, MANIFEST, SIGNATURE, BundleRefused, load
from models.manifest import FileEntry, Manifest
from models.strategy import Models
from tests.test_models.little_bundle import KEY, NOW, PUBLIC, contents, write

WEIGHTS = ("gbm.txt", "gnn.safetensors", "hmm.json")


def refused(path):
    with pytest.raises(BundleRefused) as caught:
        load(path, [PUBLIC], 0, NOW)
    return caught.value.reason


@pytest.fixture
def nothing_is_scored(monkeypatch):
    """Fails the test when weights reach what would run them."""
    contents()  # made once, by the real thing
    monkeypatch.setattr(Models, "from_bytes", lambda **_: pytest.fail("hostile weights reached their parser"))


def sign_anew(path, manifest: bytes):
    (path / MANIFEST).write_bytes(manifest)
    (path / SIGNATURE).write_bytes(KEY.sign(manifest))


def test_none_of_ten_thousand_changed_bytes_of_the_weights_passes(tmp_path):
    path = write(tmp_path / "b")
    manifest = Manifest.from_bytes((path / MANIFEST).read_bytes())
    files = {name: (path / name).read_bytes() for name in CONTENTS}
    bundle._refuse_changed(manifest, files)
    chance = np.random.default_rng(3)
    for name in WEIGHTS:
        # The file that changes is looked at first, so that the others are not hashed ten thousand times.
        ordered = replace(manifest, files=dict(sorted(manifest.files.items(), key=lambda item: item[0] != name)))
        good, changed = files[name], dict(files)
        for at, bit in zip(chance.integers(len(good), size=3_334), chance.integers(8, size=3_334), strict=True):
            bad = bytearray(good)
            bad[at] ^= 1 << int(bit)
            changed[name] = bytes(bad)
            try:
                bundle._refuse_changed(ordered, changed)
                pytest.fail(f"bit {bit} of byte {at} of {name} was changed, and it was taken")
            except BundleRefused as refusal:
                assert name in refusal.reason


def test_names_that_climb_out_of_the_folder_are_refused(tmp_path, nothing_is_scored):
    path = write(tmp_path / "b")
    manifest = Manifest.from_bytes((path / MANIFEST).read_bytes())
    for name in ("../outside.txt", "/etc/passwd", "sub/gbm.txt", "gbm.txt\0", "model.onnx"):
        files = {**manifest.files, name: FileEntry("0" * 64, 1)}
        sign_anew(path, replace(manifest, files=files).to_bytes())
        assert "does not name the files" in refused(path)
        files.pop("gbm.txt")
        sign_anew(path, replace(manifest, files=files).to_bytes())
        assert "does not name the files" in refused(path)


def test_a_network_with_its_weights_elsewhere_is_a_stranger(tmp_path, nothing_is_scored):
    """ONNX may name a file to read its tensors from; no such file, and no ONNX, belongs to a bundle."""
    path = write(tmp_path / "b")
    for name in ("model.onnx", "weights.bin", ".hidden", "gbm.txt~"):
        (path / name).write_bytes(b"location\x12\x0b../../secret")
        assert name in refused(path)
        (path / name).unlink()
    (path / "sub").mkdir()
    assert "sub" in refused(path)


def test_an_archive_is_no_bundle_however_much_it_would_unpack_to(tmp_path, nothing_is_scored):
    bomb = tmp_path / "bundle.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("gbm.txt", b"\0" * 20_000_000)
    assert bomb.stat().st_size < 30_000 and "no folder of its own" in refused(bomb)
    for name in sorted(set(CONTENTS) - {"golden.safetensors"}):  # nor does any file unpack anything, signed as it is
        assert refused(write(tmp_path / name, **{name.replace(".", "__"): bomb.read_bytes()}))


def test_every_file_has_a_size_beyond_which_it_is_not_read(tmp_path, nothing_is_scored):
    for name, most in bundle.MOST_BYTES.items():
        if most > 20_000_000:
            continue  # shown for the tree file beside the other tests of the loader; no more memory than needed here
        path = write(tmp_path / name)
        with open(path / name, "r+b") as giant:
            giant.truncate(most + 1)  # sparse
        assert f"{name} is larger" in refused(path)


DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize("hostile", [
    b"", b"null", b"[]", DEEP, b'{"seq":1}', b"\xff\xfe", b"{" * 10_000, b"1" * 5_000, b"NaN"],
    ids=["empty", "null", "list", "deep", "bare", "no-text", "open", "number", "nan"])
def test_a_signed_manifest_that_is_none_is_refused_in_words(tmp_path, nothing_is_scored, hostile):
    path = write(tmp_path / "b")
    sign_anew(path, hostile)
    assert "malformed" in refused(path)


@pytest.mark.parametrize(("field", "value"), [
    ("files", {"gbm.txt": 3}), ("features", [3]), ("created", 5), ("created", "2025-07-01"), ("last_session", "soon"),
    ("seq", 2**70), ("seq", True), ("seq", -1), ("rung", "champion\0"), ("format", "1"), ("slot", None)])
def test_a_signed_manifest_with_a_field_of_another_kind_is_refused(tmp_path, nothing_is_scored, field, value):
    path = write(tmp_path / "b")
    told = json.loads((path / MANIFEST).read_bytes())
    sign_anew(path, json.dumps({**told, field: value}, sort_keys=True, separators=(",", ":")).encode())
    if field == "seq" and value == 2**70:  # a number like any other, and the files are still to be what they were
        (path / "gbm.txt").write_bytes(b"x")
        assert "gbm.txt" in refused(path)
    else:
        assert "malformed" in refused(path)


def tensors_claiming(shape, offsets):
    header = json.dumps({"a": {"dtype": "F64", "shape": shape, "data_offsets": offsets}}).encode()
    return struct.pack("<Q", len(header)) + header


@pytest.mark.parametrize("name", ["gnn.safetensors", "snapshot.safetensors"])
@pytest.mark.parametrize("data", [
    tensors_claiming([2**30, 2**30], [0, 2**30]), tensors_claiming([2**62], [0, 8]), tensors_claiming([1], [0, 2**62]),
    struct.pack("<Q", 2**63) + b"{}", DEEP], ids=["product", "shape", "offsets", "header", "deep"])
def test_a_tensor_that_claims_the_memory_of_the_world_is_refused_before_any_is_taken(tmp_path, nothing_is_scored, name,
                                                                                     data):
    assert "malformed" in refused(write(tmp_path / "b", **{name.replace(".", "__"): data}))


@pytest.mark.parametrize("name", ["strategy.json", "calendar.json", "snapshot.json", "hmm.json"])
@pytest.mark.parametrize("data", [DEEP, b"[]", b"null", b'{"__class__":"os.system"}', b"\x80\x04cos\nsystem\n."],
                         ids=["deep", "list", "null", "class", "pickle"])
def test_signed_json_of_another_shape_is_refused(tmp_path, nothing_is_scored, name, data):
    assert "malformed" in refused(write(tmp_path / "b", **{name.replace(".", "__"): data}))


@pytest.mark.parametrize(("old", "new"), [
    (b"left_child=", b"left_child=99 "), (b"split_feature=", b"split_feature=-5 "), (b"num_leaves=", b"num_leaves=9")])
def test_a_signed_tree_that_points_out_of_bounds_never_reaches_lightgbm(tmp_path, nothing_is_scored, old, new):
    data = contents()["gbm.txt"].replace(old, new, 1)
    assert "gbm.txt is malformed" in refused(write(tmp_path / "b", gbm__txt=data))
