"""The whole loader, from the disk, on every bit of a manifest and ten thousand changed bytes of weights: all refused,
with nothing parsed. A sample runs always; all of it where slow tests do (`make proof-gate`)."""

import numpy as np
import pytest

from models import bundle
from models.bundle import MANIFEST, SIGNATURE, BundleRefused, load
from tests.test_models.little_bundle import NOW, PUBLIC, write

WEIGHTS = ("gbm.txt", "gnn.safetensors", "hmm.json")


@pytest.fixture
def nothing_is_parsed(monkeypatch):
    monkeypatch.setattr(bundle, "_parse", lambda *_: pytest.fail("parsed before signature and digests had passed"))


def refusals(path, name, changes):
    """How many of these changed files were refused, each by a sentence that names what is wrong with it."""
    good, refused = (path / name).read_bytes(), 0
    told = {"manifest is not signed"} if name in (MANIFEST, SIGNATURE) else {f"{name} is not the file"}
    for data in changes(good):
        (path / name).write_bytes(data)
        try:
            load(path, [PUBLIC], 0, NOW)
        except BundleRefused as refusal:
            refused += any(words in refusal.reason for words in told)
    (path / name).write_bytes(good)
    return refused


def flipped(data, at, bit):
    bad = bytearray(data)
    bad[at] ^= 1 << bit
    return bytes(bad)


@pytest.mark.parametrize("step", [97, pytest.param(1, marks=pytest.mark.slow)])
def test_every_bit_of_manifest_and_signature_through_the_whole_loader(tmp_path, nothing_is_parsed, step):
    path = write(tmp_path / "b")
    for name in (MANIFEST, SIGNATURE):
        bits = range(0, 8 * (path / name).stat().st_size, step if name == MANIFEST else 1)
        assert refusals(path, name, lambda good, bits=bits: (flipped(good, at // 8, at % 8) for at in bits)) == \
            len(bits), name


@pytest.mark.parametrize("count", [60, pytest.param(10_002, marks=pytest.mark.slow)])
def test_random_bytes_of_weights_through_the_whole_loader(tmp_path, nothing_is_parsed, count):
    path, chance = write(tmp_path / "b"), np.random.default_rng(7)
    for name in WEIGHTS:
        places = chance.integers(8 * (path / name).stat().st_size, size=count // 3)
        assert refusals(path, name, lambda good, places=places: (
            flipped(good, int(at) // 8, int(at) % 8) for at in places)) == len(places), name


@pytest.mark.parametrize("step", [211, pytest.param(5, marks=pytest.mark.slow)])
def test_every_length_class_of_every_file(tmp_path, nothing_is_parsed, step):
    path = write(tmp_path / "b")
    for name in WEIGHTS:
        size = (path / name).stat().st_size
        lengths = sorted({0, 1, 7, 8, 9, size - 1, *range(0, size, max(1, size * step // 2_000))})
        assert refusals(path, name, lambda good, lengths=lengths: (good[:at] for at in lengths)) == len(lengths), name
