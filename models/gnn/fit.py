"""Fit the graph network with torch on one thread: sessions are batched as separate blocks of one graph."""

import json
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from models.crosssection import rank_label
from models.gnn.config import GnnConfig
from models.gnn.graph import SessionGraph, session_graph
from models.labels import TrainingSet
from models.options import told


def fit(
    training: TrainingSet, config: GnnConfig, seed: int, on_step: Callable[[int, float], None] | None = None
) -> bytes:
    """Safetensors of the trained network; its shape travels as JSON in the header. `on_step` hears (epoch, loss)."""
    import torch
    from safetensors.numpy import save

    blocks = []
    for row in training.rows:
        graph = session_graph(training.panel, int(row), config)
        label = rank_label(training.targets[row][graph.active])
        if np.isfinite(label).any():
            blocks.append((graph, label))
    if not blocks:
        raise ValueError(f"no session of {len(training.rows)} has a graph of {config.graph_window} sessions and labels")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        on = torch.device("cuda" if config.device == "auto" and torch.cuda.is_available() else "cpu")
        with torch.random.fork_rng(devices=[torch.cuda.current_device()] if on.type == "cuda" else []):
            torch.manual_seed(seed)
            network = build(config).to(on)
            _train(network, blocks, config, np.random.default_rng(seed), on_step)
    finally:
        torch.set_num_threads(threads)
    tensors = {name: np.ascontiguousarray(value.cpu().numpy()) for name, value in network.state_dict().items()}
    return bytes(save(tensors, metadata={"config": json.dumps(told(config), sort_keys=True)}))


def build(config: GnnConfig) -> Any:
    """The network of `score.forward`, in torch: the names of its parameters are the contract between the two."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the library's own, about torch, at its first import
        from torch_geometric.nn import GATConv

    class Network(torch.nn.Module):  # type: ignore[misc, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            around, own = config.heads * config.hidden // 2, 2 * len(config.features)
            read = config.sequence
            if config.encoder == "lstm":
                read = config.recurrent
                self.sequence = torch.nn.LSTM(1, read, batch_first=True)
            self.encoder = torch.nn.Linear(own + read, config.hidden)
            self.attention = GATConv(config.hidden, config.hidden // 2, heads=config.heads, add_self_loops=False)
            self.readout = torch.nn.Linear(config.hidden + around, 1)
            self.dropout = torch.nn.Dropout(config.dropout)

        def forward(self, inputs: Any, edges: Any) -> Any:
            if config.encoder == "lstm":
                own, path = inputs[:, : -config.sequence], inputs[:, -config.sequence :]
                inputs = torch.cat([own, self.sequence(path[:, :, None])[1][0][0]], dim=1)
            encoded = torch.tanh(self.encoder(inputs))
            around = torch.nn.functional.elu(self.attention(encoded, edges))
            return self.readout(self.dropout(torch.cat([encoded, around], dim=1)))[:, 0]

    return Network()


def _train(
    network: Any, blocks: list[tuple[SessionGraph, Any]], config: GnnConfig, order: np.random.Generator,
    on_step: Callable[[int, float], None] | None,
) -> None:
    import torch

    on = next(network.parameters()).device
    optimiser = torch.optim.AdamW(network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    network.train()
    for epoch in range(config.epochs):
        total, shuffled = 0.0, order.permutation(len(blocks))
        for begin in range(0, len(blocks), config.batch_sessions):
            chosen = shuffled[begin : begin + config.batch_sessions]
            inputs, edges, labels = (part.to(on) for part in batch([blocks[i] for i in chosen]))
            known = torch.isfinite(labels)
            optimiser.zero_grad()
            loss = ((network(inputs, edges) - labels)[known] ** 2).mean()
            loss.backward()
            optimiser.step()
            total += float(loss.detach()) * len(chosen) / len(blocks)
        if on_step is not None:
            on_step(epoch, total)
    network.eval()


def batch(blocks: list[tuple[SessionGraph, Any]]) -> tuple[Any, Any, Any]:
    """Many sessions as one graph without edges between them: (inputs, edges [speaker, listener], labels)."""
    import torch

    edges, offset = [], 0
    for graph, _ in blocks:
        edges.append(graph.edges + offset)
        offset += len(graph.hears)
    return (
        torch.from_numpy(np.vstack([graph.inputs for graph, _ in blocks]).astype(np.float32)),
        torch.from_numpy(np.hstack(edges).astype(np.int64)),
        torch.from_numpy(np.concatenate([label for _, label in blocks]).astype(np.float32)),
    )
