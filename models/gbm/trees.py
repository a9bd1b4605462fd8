"""Trees read from JSON and walked in NumPy: LightGBM's `dump_model` and XGBoost's own model file. Nothing is unpickled,
and no native parser sees the bytes."""

import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.intp]
MOST_NODES = 5_000_000
ZERO = 1e-35  # LightGBM's own: what is nearer to zero than this is zero
NONE, AS_ZERO, AS_NAN = 0, 1, 2
MISSING = {"None": NONE, "Zero": AS_ZERO, "NaN": AS_NAN}
RAW_OBJECTIVES = ("regression", "reg:squarederror", "reg:absoluteerror", "reg:pseudohubererror")
ODDS_OBJECTIVES = ("binary", "binary:logistic", "reg:logistic")


@dataclass(frozen=True)
class Trees:
    """Nodes of all trees in one row; a leaf's `column` is -1. `single`: compared and summed in float32, as XGBoost
    does, where a value goes left when it is below the threshold; LightGBM lets equal ones go left too."""

    features: tuple[str, ...]
    roots: Whole
    column: Whole
    threshold: Floats
    left: Whole
    right: Whole
    default_left: NDArray[np.bool_]
    missing: NDArray[np.int8]
    value: Floats
    margin: float  # that the sum begins at
    share: float  # of the sum that counts: one over the trees in a forest that averages
    odds: bool  # the sum is log odds
    single: bool

    def __call__(self, inputs: Floats) -> Floats:
        """(rows,) scores, or probabilities where the model speaks of yes and no, of (rows, features)."""
        told = np.asarray(inputs, dtype=np.float32 if self.single else np.float64)
        if told.ndim != 2 or told.shape[1] != len(self.features):
            raise ValueError(f"rows of {len(self.features)} columns are scored, not an array of shape {told.shape}")
        total = np.full(len(told), self.margin, dtype=told.dtype)
        for root in self.roots:
            total += self.value[self._leaves(told, int(root))].astype(told.dtype)
        score: Floats = total.astype(np.float64) * self.share
        return 1.0 / (1.0 + np.exp(-np.clip(score, -700.0, 700.0))) if self.odds else score

    def _leaves(self, told: NDArray[Any], root: int) -> Whole:
        at = np.full(len(told), root, dtype=np.intp)
        inside = np.flatnonzero(self.column[at] >= 0)
        while len(inside):
            node = at[inside]
            seen = told[inside, self.column[node]]
            kind, absent = self.missing[node], np.isnan(seen)
            seen = np.where(absent & (kind != AS_NAN), 0.0, seen).astype(told.dtype)
            default = (absent & (kind == AS_NAN)) | ((kind == AS_ZERO) & (np.abs(seen) <= ZERO))
            edge = self.threshold[node].astype(told.dtype)
            left = np.where(default, self.default_left[node], seen < edge if self.single else seen <= edge)
            at[inside] = np.where(left, self.left[node], self.right[node])
            inside = inside[self.column[at[inside]] >= 0]
        return at


def read(data: bytes) -> Trees:
    """Whichever of the two formats it is; ValueError in words where it is neither, or does not add up."""
    told = json.loads(data)
    if isinstance(told, dict) and "tree_info" in told:
        return _lightgbm(told)
    if isinstance(told, dict) and "learner" in told:
        return _xgboost(told["learner"])
    raise ValueError("neither LightGBM's dump of a model nor XGBoost's model file")


class _Growing:
    """Nodes as they are read."""

    def __init__(self, features: tuple[str, ...]) -> None:
        self.features, self.rows, self.roots = features, [], []  # type: tuple[str, ...], list[list[float]], list[int]

    def add(self, column: int, threshold: float, default_left: bool, missing: int, value: float) -> int:
        if not -1 <= column < len(self.features) or math.isnan(threshold) or not math.isfinite(value):
            raise ValueError("a node that splits on no feature, or a leaf without a value")
        if len(self.rows) >= MOST_NODES:
            raise ValueError(f"more than {MOST_NODES:,} nodes")
        self.rows.append([column, threshold, -1, -1, default_left, missing, value])
        return len(self.rows) - 1

    def done(self, *, margin: float, share: float, odds: bool, single: bool) -> Trees:
        if not self.roots:
            raise ValueError("a model without trees")
        column, threshold, left, right, default_left, missing, value = np.array(self.rows, dtype=np.float64).T
        return Trees(
            self.features, np.array(self.roots, dtype=np.intp), column.astype(np.intp), threshold,
            left.astype(np.intp), right.astype(np.intp), default_left.astype(bool), missing.astype(np.int8), value,
            margin, share, odds, single)


def _objective(name: str) -> bool:
    """Whether the sum is log odds."""
    if name not in (*RAW_OBJECTIVES, *ODDS_OBJECTIVES):
        known = ", ".join((*RAW_OBJECTIVES, *ODDS_OBJECTIVES))
        raise ValueError(f"the objective {name!r} is not scored here, only {known}")
    return name in ODDS_OBJECTIVES


def _lightgbm(told: dict[str, Any]) -> Trees:
    if told.get("num_tree_per_iteration") != 1:
        raise ValueError("a model of several outputs")
    name, *options = str(told["objective"]).split()
    if name == "binary" and options not in ([], ["sigmoid:1"]):
        raise ValueError(f"a sigmoid of its own: {' '.join(options)}")
    growing = _Growing(tuple(told["feature_names"]))
    for tree in told["tree_info"]:
        todo = [(tree["tree_structure"], -1, 0)]  # what is read, whose child it is, on which side
        growing.roots.append(len(growing.rows))
        while todo:
            node, above, side = todo.pop()
            if "split_feature" in node:
                if node["decision_type"] != "<=":
                    raise ValueError("a split by categories")
                at = growing.add(int(node["split_feature"]), float(node["threshold"]), bool(node["default_left"]),
                                 MISSING[node["missing_type"]], 0.0)
                todo += [(node["right_child"], at, 3), (node["left_child"], at, 2)]
            else:
                at = growing.add(-1, 0.0, False, NONE, float(node["leaf_value"]))
            if above >= 0:
                growing.rows[above][side] = at
    share = 1.0 / len(growing.roots) if told.get("average_output") and growing.roots else 1.0
    return growing.done(margin=0.0, share=share, odds=_objective(name), single=False)


def _xgboost(learner: dict[str, Any]) -> Trees:
    shape, booster = learner["learner_model_param"], learner["gradient_booster"]
    if booster.get("name") != "gbtree" or int(shape.get("num_class", "0")) > 1:
        raise ValueError("only XGBoost's gbtree of one output is scored")
    names = tuple(learner.get("feature_names") or (f"f{at}" for at in range(int(shape["num_feature"]))))
    growing = _Growing(names)
    for tree in booster["model"]["trees"]:
        left, right = tree["left_children"], tree["right_children"]
        first, size = len(growing.rows), len(left)
        lists = (right, tree["split_indices"], tree["split_conditions"], tree["default_left"])
        if any(len(one) != size for one in lists):
            raise ValueError("a tree whose lists are of several lengths")
        if any(int(kind) for kind in tree.get("split_type", ())):
            raise ValueError("a split by categories")
        inner = [at for at in range(size) if left[at] != -1]
        children = [child for at in inner for child in (left[at], right[at])]
        later = all(at < left[at] < size and at < right[at] < size for at in inner)
        if not later or len(set(children)) != len(children):
            raise ValueError("a tree whose children are no later nodes, each of one parent")
        growing.roots.append(first)
        for at in range(size):
            leaf, number = left[at] == -1, float(tree["split_conditions"][at])
            growing.add(-1 if leaf else int(tree["split_indices"][at]), 0.0 if leaf else number,
                        bool(tree["default_left"][at]), AS_NAN, number if leaf else 0.0)
            if not leaf:
                growing.rows[first + at][2:4] = [first + left[at], first + right[at]]
    base, odds = float(str(shape["base_score"]).strip("[]")), _objective(learner["objective"]["name"])
    if odds and not 0.0 < base < 1.0:
        raise ValueError(f"a base score of {base} is no probability")
    return growing.done(margin=math.log(base / (1.0 - base)) if odds else base, share=1.0, odds=odds, single=True)
