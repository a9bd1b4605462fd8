"""Our own validators of weights: real files pass, and each way of being wrong is caught before a native parser."""

import json
import struct

import numpy as np
import pytest
from safetensors.numpy import save

from models import structure, tensors
from tests.test_models.little_bundle import contents


def gbm():
    return contents()["gbm.txt"].decode()


def resized(text):
    """The text with tree_sizes that fit again, so that the one planted fault is what is found."""
    head, _, rest = text.partition("\n\nTree=0\n")
    trees, tail = ("Tree=0\n" + rest).split("end of trees\n", 1)
    parts = ["Tree=" + part for part in trees.split("Tree=")[1:]]
    lines = [f"tree_sizes={' '.join(str(len(part)) for part in parts)}" if line.startswith("tree_sizes=") else line
             for line in head.splitlines()]
    return "\n".join(lines) + "\n\n" + "".join(parts) + "end of trees\n" + tail


def first_tree(field, change):
    lines = gbm().splitlines(keepends=True)
    at = next(n for n, line in enumerate(lines) if line.startswith(f"{field}="))
    values = lines[at].strip().partition("=")[2].split()
    lines[at] = f"{field}={' '.join(change(values))}\n"
    return resized("".join(lines))


def test_what_the_libraries_write_passes():
    for name, check in structure.CHECKS.items():
        check(contents()[name])
    structure.check_lightgbm(resized(gbm()).encode())


@pytest.mark.parametrize(("field", "change"), [
    ("left_child", lambda v: ["999", *v[1:]]),
    ("left_child", lambda v: ["-999", *v[1:]]),
    ("left_child", lambda v: ["0", *v[1:]]),
    ("right_child", lambda v: [v[0]] * len(v)),
    ("right_child", lambda v: v[:-1]),
    ("split_feature", lambda v: ["77", *v[1:]]),
    ("split_feature", lambda v: ["-1", *v[1:]]),
    ("threshold", lambda v: ["nan", *v[1:]]),
    ("threshold", lambda v: [*v, "0.5"]),
    ("leaf_value", lambda v: ["1e999", *v[1:]]),
    ("leaf_value", lambda v: v[1:]),
    ("num_leaves", lambda v: ["2000000000"]),
    ("num_leaves", lambda v: ["0"]),
    ("num_cat", lambda v: ["1"]),
    ("is_linear", lambda v: ["1"]),
    ("decision_type", lambda v: ["1", *v[1:]]),
    ("internal_count", lambda v: v[:-1]),
])
def test_a_bad_index_length_or_number_in_a_tree_is_caught(field, change):
    with pytest.raises(ValueError, match="tree 0"):
        structure.check_lightgbm(first_tree(field, change).encode())


def test_a_cycle_is_caught():
    """Nodes 1 and 2 are each other's children: every index is in bounds and used once, and a walk never ends."""
    tree = ("Tree=0\nnum_leaves=4\nnum_cat=0\nsplit_feature=0 0 0\nthreshold=0 0 0\ndecision_type=2 2 2\n"
            "left_child=-1 2 1\nright_child=-2 -3 -4\nleaf_value=0 0 0 0\nis_linear=0\nshrinkage=1\n\n\n")
    head = ("tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=0\nfeature_names=a\n"
            f"feature_infos=none\ntree_sizes={len(tree)}\n\n")
    with pytest.raises(ValueError, match="root does not reach"):
        structure.check_lightgbm((head + tree + "end of trees\n").encode())


@pytest.mark.parametrize("change", [
    lambda text: text.replace("tree_sizes=", "tree_sizes=9"),
    lambda text: text.replace("max_feature_idx=6", "max_feature_idx=7"),
    lambda text: text.replace("version=v4", "version=v3"),
    lambda text: text.replace("end of trees", "end of wood"),
    lambda text: text.replace("num_class=1", "num_class=1\nnum_class=1"),
    lambda text: text[: len(text) // 3],
    lambda text: "",
])
def test_a_header_that_lies_is_caught(change):
    with pytest.raises(ValueError):
        structure.check_lightgbm(change(gbm()).encode())


@pytest.mark.parametrize(("field", "value"), [
    ("transitions", lambda v: [[2.0, *row[1:]] for row in v]), ("covariances", lambda v: np.negative(v).tolist()),
    ("means", lambda v: v[:-1]), ("window", lambda v: -1), ("scale", lambda v: [0.0] * len(v)),
    ("states", lambda v: ["a"] * len(v)), ("stationary", lambda v: [float("nan")] * len(v)),
])
def test_a_regime_model_that_is_no_law_is_caught(field, value):
    told = json.loads(contents()["hmm.json"])
    told[field] = value(told[field])
    with pytest.raises(ValueError):
        structure.check_hmm(json.dumps(told).encode())


def test_a_network_of_another_shape_is_caught():
    good = contents()["gnn.safetensors"]
    found, words = tensors.read(good), tensors.metadata(good)
    structure.check_gnn(save(found, metadata=words))
    for name in found:
        for wrong in ({**found, name: np.ascontiguousarray(found[name][..., :-1])},
                      {**found, name: np.full_like(found[name], np.nan)},
                      {kept: values for kept, values in found.items() if kept != name}):
            with pytest.raises(ValueError):
                structure.check_gnn(save(wrong, metadata=words))
    for field, value in (("hidden", 10**6), ("hidden", -4), ("heads", True), ("sequence", "5")):
        lie = json.dumps({**json.loads(words["config"]), field: value})
        with pytest.raises(ValueError):
            structure.check_gnn(save(found, metadata={"config": lie}))


def header(entries, body=b"\0" * 16):
    text = json.dumps(entries).encode()
    return struct.pack("<Q", len(text)) + text + body


GOOD = {"a": {"dtype": "F64", "shape": [2], "data_offsets": [0, 16]}}


@pytest.mark.parametrize("data", [
    b"", b"\0" * 7, struct.pack("<Q", 2**60) + b"{}", header([1]),
    header({"a": {**GOOD["a"], "shape": [3]}}), header({"a": {**GOOD["a"], "data_offsets": [8, 24]}}),
    header({"a": {**GOOD["a"], "shape": [-2]}}), header({"a": {**GOOD["a"], "dtype": "BF16"}}),
    header({"a": {**GOOD["a"], "data_offsets": [0, 8], "shape": [1]}}), header(GOOD, b"\0" * 24), header(GOOD, b""),
    header({"a": {**GOOD["a"], "shape": [True, 2]}}), header({"a": {**GOOD["a"], "shape": [2**31, 0]}}, b""),
    header({**GOOD, "b": GOOD["a"]}),
])
def test_a_tensor_file_that_lies_is_a_value_error(data):
    with pytest.raises((ValueError, KeyError, TypeError)):
        tensors.read(data)


def test_tensors_come_back_bit_for_bit():
    arrays = {"x": np.random.default_rng(0).normal(size=(3, 4)), "n": np.arange(5), "u": np.ones((2, 2), np.uint8)}
    again = tensors.read(tensors.write(arrays))
    assert all(np.array_equal(again[name], arrays[name]) for name in arrays)
    assert tensors.write(dict(reversed(arrays.items()))) == tensors.write(arrays)
    assert list(tensors.read(header(GOOD))) == ["a"]
