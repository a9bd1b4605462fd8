"""The graph network's forward pass in NumPy: dense masked attention on one session's names, no torch."""

import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.features.panel import FeaturePanel
from models.gnn.config import GnnConfig
from models.gnn.graph import Mask, session_graph

Floats = NDArray[np.float64]
FEW = 128  # names: up to here a whole matrix is multiplied as quickly as what is in it
LEAK = 0.2  # slope of the attention's leaky rectifier, PyTorch Geometric's default


@dataclass(frozen=True)
class GnnModel:
    config: GnnConfig
    weights: dict[str, Floats]

    @classmethod
    def from_bytes(cls, data: bytes) -> "GnnModel":
        from safetensors.numpy import load

        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        told = json.loads(header["__metadata__"]["config"])
        groups = tuple(tuple(group) for group in told.get("groups", ()))
        config = GnnConfig(**{**told, "features": tuple(told["features"]), "groups": groups})
        return cls(config, {name: value.astype(np.float64) for name, value in load(data).items()})

    def score(self, panel: FeaturePanel, row: int) -> Floats:
        """(names,) at the panel's `row`; NaN for a name that is not tradable or lacks features."""
        scores = np.full(len(panel.names), np.nan)
        graph = session_graph(panel, row, self.config)
        if graph.active.any():
            scores[graph.active] = forward(self.weights, graph.inputs, graph.hears)
        return scores


def forward(weights: dict[str, Floats], inputs: Floats, hears: Mask) -> Floats:
    """Encode each node, let it attend to those it hears, read the score off both."""
    if "sequence.weight_hh_l0" in weights:
        kept = weights["encoder.weight"].shape[1] - weights["sequence.weight_hh_l0"].shape[1]
        inputs = np.hstack([inputs[:, :kept], recur(weights, inputs[:, kept:])])
    encoded = np.tanh(inputs @ weights["encoder.weight"].T + weights["encoder.bias"])
    source, target = weights["attention.att_src"][0], weights["attention.att_dst"][0]  # (heads, channels)
    heads, channels = source.shape
    sent = (encoded @ weights["attention.lin.weight"].T).reshape(-1, heads, channels)
    spoken, heard = (sent * source).sum(axis=2), (sent * target).sum(axis=2)  # (names, heads)
    mixed = _mixed(heard, spoken, hears, sent)
    around = mixed.reshape(len(inputs), heads * channels) + weights["attention.bias"]
    around = np.where(around > 0.0, around, np.expm1(np.minimum(around, 0.0)))
    both = np.hstack([encoded, around])
    scores: Floats = (both @ weights["readout.weight"].T + weights["readout.bias"])[:, 0]
    return scores


def _mixed(heard: Floats, spoken: Floats, hears: Mask, sent: Floats) -> Floats:
    """(names, heads, channels): what each name hears (itself at least), of each as much as it attends to it. Few names
    are multiplied whole, and whole rows are added up, so that the bits do not depend on who is heard; of many only the
    edges are looked at, in their order."""
    names, heads, channels = sent.shape
    listener, speaker = np.divmod(np.flatnonzero(hears), names)
    logits = heard[listener] + spoken[speaker]
    logits = np.where(logits > 0.0, logits, LEAK * logits)
    begins = np.searchsorted(listener, np.arange(names))
    loud = np.exp(logits - np.maximum.reduceat(logits, begins)[listener])
    if names <= FEW:
        share = np.zeros((names, names, heads))
        share[listener, speaker] = loud
        share[listener, speaker] = loud / share.sum(axis=1)[listener]
        return np.stack([share[:, :, head] @ sent[:, head, :] for head in range(heads)], axis=1)
    part = loud / _gathered(loud, listener, names)[listener]
    told = part[:, :, None] * sent[speaker]
    return _gathered(told.reshape(len(listener), -1), listener, names).reshape(names, heads, channels)


def _gathered(values: Floats, listener: NDArray[np.intp], names: int) -> Floats:
    """(names, columns) sums of (edges, columns), one after the other in their order."""
    return np.stack([np.bincount(listener, column, names) for column in np.ascontiguousarray(values.T)], axis=1)


def recur(weights: dict[str, Floats], path: Floats) -> Floats:
    """(names, kept) what an LSTM holds after the last step of (names, steps), the oldest first; gates as torch orders
    them: input, forget, cell, output."""
    drive, back = weights["sequence.weight_ih_l0"], weights["sequence.weight_hh_l0"]
    offset = weights["sequence.bias_ih_l0"] + weights["sequence.bias_hh_l0"]
    held = np.zeros((len(path), back.shape[1]))
    cell = np.zeros_like(held)
    for step in range(path.shape[1]):
        gates = path[:, step : step + 1] @ drive.T + held @ back.T + offset
        taken, forgotten, new, told = np.split(gates, 4, axis=1)
        cell = _sigmoid(forgotten) * cell + _sigmoid(taken) * np.tanh(new)
        held = _sigmoid(told) * np.tanh(cell)
    return held


def _sigmoid(values: Floats) -> Floats:
    squashed: Floats = 0.5 * (1.0 + np.tanh(0.5 * values))  # never overflows
    return squashed
