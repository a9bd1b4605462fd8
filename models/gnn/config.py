"""The size of the graph network and of the graph it sees."""

from dataclasses import dataclass
from typing import Literal

from models.options import option


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
    encoder: Literal["none", "lstm"] = option("none")  # lstm: the last returns are read in their order
    recurrent: int = option(8)  # how much an lstm keeps of them
    groups: tuple[tuple[str, ...], ...] = option(())  # names that always hear each other: a sector, a chain of supply
    alike: float | None = option(None)  # and whoever's residual returns correlate by more than this
    granger: bool = option(False)  # and whoever's last two moves foretell its next one
    refresh: Literal["daily", "weekly"] = option("daily")  # weekly: edges as known at the week's first decision
    device: Literal["cpu", "auto"] = option("cpu")  # auto: a GPU where there is one; only a CPU repeats its bits

    @property
    def look_back(self) -> int:
        """Decision rows that make one session's graph and inputs; a week has at most five."""
        return max(self.graph_window + (4 if self.refresh == "weekly" else 0), self.sequence)

    @property
    def columns(self) -> tuple[str, ...]:
        """Of the panel, that a fit and a score read."""
        return tuple(dict.fromkeys((*self.features, self.returns)))
