"""The size of the graph network and of the graph it sees."""

from dataclasses import dataclass


@dataclass(frozen=True)
class GnnConfig:
    """Edges: each name hears from the `neighbours` whose residual returns moved most like its own."""

    features: tuple[str, ...] = ()
    returns: str = "ret_1"  # the feature that the graph and the sequence are made of
    graph_window: int = 60
    neighbours: int = 4
    sequence: int = 10
    hidden: int = 16
    heads: int = 2
    epochs: int = 15
    batch_sessions: int = 32
    learning_rate: float = 0.004
    weight_decay: float = 0.02
    dropout: float = 0.4
