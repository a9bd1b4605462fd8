"""Our own reading of a bundle's weights, before any native parser sees them: what does not add up is a ValueError."""

import json
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from models import tensors

MOST_TREES = 20_000
MOST_LEAVES = 4_096
_TREE_FIELDS = {"num_leaves", "num_cat", "split_feature", "split_gain", "threshold", "decision_type", "left_child",
                "right_child", "leaf_value", "leaf_weight", "leaf_count", "internal_value", "internal_weight",
                "internal_count", "is_linear", "shrinkage"}
_HMM_FIELDS = {"states", "features", "window", "centre", "scale", "transitions", "stationary", "means", "covariances"}


def _require(holds: bool, words: str) -> None:
    if not holds:
        raise ValueError(words)


def _pairs(block: str, where: str) -> dict[str, str]:
    """`key=value` lines, each key once."""
    found: dict[str, str] = {}
    for line in block.splitlines():
        if not line:
            continue
        key, equals, value = line.partition("=")
        _require(bool(equals) and key not in found, f"{where}: the line {line[:40]!r} is no new key=value")
        found[key] = value
    return found


def _whole(text: str, where: str) -> list[int]:
    parts = text.split()
    _require(all(part.removeprefix("-").isdecimal() for part in parts), f"{where} holds no whole numbers")
    return [int(part) for part in parts]


def _finite(text: str, where: str) -> list[float]:
    values = [float(part) for part in text.split()]
    _require(all(math.isfinite(value) for value in values), f"{where} is not finite")
    return values


def _check_tree(block: str, number: int, last_feature: int) -> None:
    where = f"tree {number}"
    title, _, body = block.partition("\n")
    _require(title == f"Tree={number}", f"{where} is headed {title[:40]!r}")
    tree = _pairs(body, where)
    _require(set(tree) <= _TREE_FIELDS, f"{where} has the unknown fields {sorted(set(tree) - _TREE_FIELDS)}")
    _require(tree.get("num_cat") == "0" and tree.get("is_linear") == "0", f"{where} is categorical or linear")
    (leaves,) = _whole(tree.get("num_leaves", ""), where) or [0]
    _require(1 <= leaves <= MOST_LEAVES, f"{where} claims {leaves} leaves")
    _finite(tree.get("shrinkage", "nan"), f"{where}: shrinkage")
    outputs = _finite(tree.get("leaf_value", ""), f"{where}: leaf_value")
    _require(len(outputs) == leaves, f"{where}: leaf_value's length")
    splits = leaves - 1
    if not splits:
        return
    # A split of what is known from what is missing is said by a threshold without end.
    edges = [float(part) for part in tree.get("threshold", "").split()]
    _require(len(edges) == splits, f"{where}: threshold's length")
    _require(not any(map(math.isnan, edges)), f"{where}: threshold is no number")
    whole = {name: _whole(tree.get(name, ""), f"{where}: {name}")
             for name in ("split_feature", "decision_type", "left_child", "right_child")}
    for name, values in whole.items():
        _require(len(values) == splits, f"{where}: {name}'s length")
    for name, length in (("split_gain", splits), ("internal_value", splits), ("internal_weight", splits),
                         ("internal_count", splits), ("leaf_weight", leaves), ("leaf_count", leaves)):
        if name in tree:
            _require(len(_finite(tree[name], f"{where}: {name}")) == length, f"{where}: {name}'s length")
    _require(all(0 <= feature <= last_feature for feature in whole["split_feature"]), f"{where}: a split on no feature")
    _require(all(0 <= kind < 16 and kind % 2 == 0 for kind in whole["decision_type"]), f"{where}: an unknown decision")
    children = whole["left_child"] + whole["right_child"]
    expected = set(range(1, splits)) | {~leaf for leaf in range(leaves)}
    _require(len(children) == len(expected) and set(children) == expected,
             f"{where}: its children are not each node and leaf once")
    reached, todo = 0, [0]
    while todo:  # every node has one parent, so a walk that meets all of them proves there is no cycle
        node = todo.pop()
        reached += 1
        todo += [child for child in (whole["left_child"][node], whole["right_child"][node]) if child >= 0]
    _require(reached == splits, f"{where}: nodes that its root does not reach")


def check_lightgbm(data: bytes) -> None:
    """A text model of plain numeric trees whose every index and length is in bounds."""
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError as error:
        raise ValueError("the text model is not ASCII") from error
    head, found, rest = text.partition("\n\nTree=0\n")
    _require(bool(found) and head.startswith("tree\n"), "no LightGBM text model")
    header = _pairs(head.removeprefix("tree\n"), "header")
    _require(header.get("version") == "v4" and header.get("num_class") == "1"
             and header.get("num_tree_per_iteration") == "1", "not a version 4 model of one output")
    (last_feature,) = _whole(header.get("max_feature_idx", ""), "max_feature_idx") or [-1]
    for name in ("feature_names", "feature_infos"):
        _require(len(header.get(name, "").split()) == last_feature + 1, f"{name}'s length")
    sizes = _whole(header.get("tree_sizes", ""), "tree_sizes")
    _require(0 < len(sizes) <= MOST_TREES and min(sizes) > 0, f"{len(sizes)} trees")
    trees, at = "Tree=0\n" + rest, 0
    for number, size in enumerate(sizes):  # the native parser seeks by these sizes
        _check_tree(trees[at : at + size], number, last_feature)
        at += size
    _require(trees[at:].startswith("end of trees\n"), "the trees do not end where their sizes say")


def _array(told: dict[str, Any], name: str, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    values = np.asarray(told[name], dtype=np.float64)
    _require(values.shape == shape and bool(np.isfinite(values).all()), f"{name} is not finite of shape {shape}")
    return values


def check_hmm(data: bytes) -> None:
    """JSON of a Gaussian chain whose rows are laws and whose covariances are positive definite."""
    told = json.loads(data)
    _require(isinstance(told, dict) and set(told) - {"median"} == _HMM_FIELDS,
             "its fields are not those of a regime model")
    for name in ("states", "features", *({"median"} & set(told))):
        _require(isinstance(told[name], list) and len(set(told[name])) == len(told[name]) > 0
                 and all(isinstance(word, str) for word in told[name]), f"{name} are no distinct names")
    states, width = len(told["states"]), len(told["features"]) + len(told.get("median", ()))
    _require(type(told["window"]) is int and 1 <= told["window"] <= 10_000, "window is no number of sessions")
    _array(told, "centre", (width,))
    _require(bool((_array(told, "scale", (width,)) > 0.0).all()), "scale is not positive")
    _array(told, "means", (states, width))
    for name, shape in (("transitions", (states, states)), ("stationary", (states,))):
        law = _array(told, name, shape)
        _require(bool((law >= -1e-12).all()) and bool(np.allclose(law.sum(axis=-1), 1.0, atol=1e-6)),
                 f"{name} is no law")
    covariances = _array(told, "covariances", (states, width, width))
    _require(bool(np.allclose(covariances, covariances.transpose(0, 2, 1)))
             and bool((np.linalg.eigvalsh(covariances) > 0.0).all()), "a covariance is not positive definite")


def check_gnn(data: bytes) -> None:
    """Safetensors of the attention network: its parameters, finite, of the sizes that its header names."""
    found = tensors.read(data)
    told = json.loads(tensors.metadata(data)["config"])
    sizes = [told[name] for name in ("hidden", "heads", "sequence")]
    _require(all(type(size) is int and 0 < size < 10_000 for size in sizes), "its sizes are no small whole numbers")
    hidden, heads, sequence = sizes
    channels = hidden // 2
    expected = {
        "encoder.weight": (hidden, 2 * len(told["features"]) + sequence), "encoder.bias": (hidden,),
        "attention.lin.weight": (heads * channels, hidden), "attention.att_src": (1, heads, channels),
        "attention.att_dst": (1, heads, channels), "attention.bias": (heads * channels,),
        "readout.weight": (1, hidden + heads * channels), "readout.bias": (1,),
    }
    if told.get("encoder") == "lstm":
        _require("sequence.weight_hh_l0" in found and found["sequence.weight_hh_l0"].ndim == 2, "its lstm is missing")
        kept = found["sequence.weight_hh_l0"].shape[1]  # an option at its default is not told
        _require(0 < kept < 10_000 and told.get("recurrent", kept) == kept, "its lstm has no size")
        expected["encoder.weight"] = (hidden, 2 * len(told["features"]) + kept)
        expected |= {"sequence.weight_ih_l0": (4 * kept, 1), "sequence.weight_hh_l0": (4 * kept, kept),
                     "sequence.bias_ih_l0": (4 * kept,), "sequence.bias_hh_l0": (4 * kept,)}
    _require(set(found) == set(expected), f"its tensors are {sorted(found)}")
    _require(all(bool(np.isfinite(values).all()) for values in found.values()), "a weight is not finite")
    for name, shape in expected.items():
        _require(found[name].shape == shape, f"{name} is {found[name].shape}, not {shape}")


CHECKS = {"gbm.txt": check_lightgbm, "hmm.json": check_hmm, "gnn.safetensors": check_gnn}
