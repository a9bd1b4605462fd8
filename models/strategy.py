"""The unit that is judged, bundled and traded: what it looks at, how scores become weights, and one function for both
the past and the live session."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.crosssection import zscore
from models.features.panel import FeaturePanel
from models.gbm.config import GbmConfig
from models.gbm.score import GbmModel
from models.gnn.config import GnnConfig
from models.gnn.score import GnnModel
from models.hmm.config import STATES, HmmConfig
from models.hmm.score import HmmModel
from models.intraday import SLOT, Intraday
from models.options import option
from models.options import told as told_of
from models.positions import dollar_neutral, hedged
from models.risk import RETURNS, Likeness, known_risk
from models.signals.chosen import Chosen, book_of, columns_of, in_full

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class StrategyConfig:
    """Everything that is chosen, nothing that is learned. Two configs with equal `key()` are one trial."""

    name: str
    slot: str = "daily-equity"
    horizon: int = 5  # opens that a score looks ahead when it is learned; judged is always the next one
    hold_sessions: int = 3  # scores of so many decisions are averaged: slower positions, lower costs
    blend_gnn: float = 0.5
    risk_window: int = 120  # decision rows that correlation and volatility are estimated from
    risk_shrink: float = 0.3
    gross: float = 1.0  # sum of absolute weights in a full-size regime
    max_weight: float = 0.15
    regime_gross: tuple[tuple[str, float], ...] = (
        ("Bull", 1.0), ("Bear", 0.85), ("HighVol_Chop", 0.85), ("LowVol_Chop", 1.0))
    gbm: GbmConfig = field(default_factory=GbmConfig)
    gnn: GnnConfig = field(default_factory=GnnConfig)
    hmm: HmmConfig = field(default_factory=HmmConfig)
    intraday: Intraday | None = None  # None: decided once, before the open
    rule: Chosen | None = option(None)  # decides in place of the scores; the models are carried and only tell regimes

    def __post_init__(self) -> None:
        if (self.intraday is not None) != (self.slot.partition("-")[0] == SLOT):
            raise ValueError(f"slot {self.slot}: one that begins with '{SLOT}' belongs to a strategy that decides "
                             "inside the session, and to no other")
        if self.rule is not None:
            book_of(self.rule)

    @property
    def features(self) -> tuple[str, ...]:
        """Columns of the panel that a decision reads."""
        read = (RETURNS, *self.gbm.columns, *self.gnn.columns, *self.hmm.columns,
                *(columns_of(self.rule) if self.rule is not None else ()))
        return tuple(dict.fromkeys(read))

    @property
    def history(self) -> int:
        """Decision rows, the one decided on included, that determine a decision to the last bit."""
        ruled = book_of(self.rule).history if self.rule is not None else 0
        return max(self.hmm.window, self.risk_window, self.gnn.look_back + self.hold_sessions - 1, ruled)

    def to_json(self) -> str:
        return json.dumps(self._told(), sort_keys=True, separators=(",", ":"))

    def _told(self) -> dict[str, Any]:
        """What is chosen, without what a daily strategy does not have: its bytes and its key are older than that."""
        told = told_of(self)
        del told["intraday"]
        return {**told, "intraday": self.intraday.to_json()} if self.intraday is not None else told

    @classmethod
    def from_json(cls, text: str | bytes) -> "StrategyConfig":
        told: dict[str, Any] = json.loads(text)
        parts = {"gbm": GbmConfig, "gnn": GnnConfig, "hmm": HmmConfig}
        values = {name: kind(**_tuples(told.pop(name))) for name, kind in parts.items()}
        intraday = told.pop("intraday", None)
        return cls(**_tuples(told), **values, intraday=Intraday.from_json(intraday) if intraday is not None else None)

    def key(self) -> str:
        """Digest of all that is chosen; the name is not part of it, so renaming makes no new trial."""
        told = {**self._told(), "name": ""}
        return hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _tuples(told: dict[str, Any]) -> dict[str, Any]:
    def fixed(value: Any) -> Any:
        return tuple(fixed(part) for part in value) if isinstance(value, list) else value

    return {name: fixed(value) for name, value in told.items()}


@dataclass(frozen=True)
class Models:
    """The three fitted scorers of one strategy."""

    hmm: HmmModel
    gbm: GbmModel
    gnn: GnnModel

    @classmethod
    def from_bytes(cls, *, hmm: bytes, gbm: bytes, gnn: bytes) -> "Models":
        return cls(HmmModel.from_bytes(hmm), GbmModel.from_bytes(gbm), GnnModel.from_bytes(gnn))


@dataclass(frozen=True)
class Decision:
    """What was believed and wanted at one decision; arrays are in the order of `names`."""

    session: np.datetime64
    names: tuple[str, ...]
    regime: dict[str, float]  # filtered posterior by state
    gbm: Floats  # raw scores of this session, NaN where a name cannot be scored
    gnn: Floats
    score: Floats  # blended, averaged over the holding window
    weights: Floats  # of capital; 0 where untradable or unscored


class Scores:
    """Raw scores by session, each computed once: a session's scores serve all decisions that average over it, and
    whatever else decisions share serves all configurations.

    Without `graph` the graph is not asked and says nothing (NaN): for configurations in which it has no say."""

    def __init__(self, models: Models, panel: FeaturePanel, *, graph: bool = True) -> None:
        self.models, self.panel, self.graph = models, panel, graph
        self._known: dict[int, tuple[Floats, Floats]] = {}
        self._regimes: dict[int, Floats] = {}
        self._blended: dict[tuple[int, float], Floats] = {}
        self._risks: dict[tuple[int, bytes, int, float], tuple[Likeness, Floats]] = {}

    def remember(self, known: dict[int, tuple[Floats, Floats]]) -> None:
        self._known.update(known)

    def ask(self, rows: Sequence[int]) -> None:
        """What the trees say of all these rows, in one go."""
        new = [row for row in rows if row not in self._known]
        if len(new) > 1:
            said = self.models.gbm.score_many(self.panel, np.array(new, np.intp))
            self._known.update((row, (gbm, self._of_graph(row))) for row, gbm in zip(new, said, strict=True))

    def at(self, row: int) -> tuple[Floats, Floats]:
        if row not in self._known:
            self._known[row] = (self.models.gbm.score(self.panel, row), self._of_graph(row))
        return self._known[row]

    def _of_graph(self, row: int) -> Floats:
        return self.models.gnn.score(self.panel, row) if self.graph else np.full(len(self.panel.names), np.nan)

    def blended(self, row: int, share: float) -> Floats:
        """Both, standardised, the graph's with this share."""
        if (row, share) not in self._blended:
            gbm, gnn = self.at(row)
            if share != 0.0 and not self.graph:
                raise ValueError(f"a configuration in which the graph has a say of {share}, and it was not asked")
            self._blended[row, share] = zscore(gbm) if share == 0.0 else \
                (1.0 - share) * zscore(gbm) + share * zscore(gnn)
        return self._blended[row, share]

    def risk(self, row: int, active: NDArray[np.bool_], window: int, shrink: float) -> tuple[Likeness, Floats]:
        """`known_risk` of these names at this row."""
        asked = (row, active.tobytes(), window, shrink)
        if asked not in self._risks:
            self._risks[asked] = known_risk(self.panel, row, active, window, shrink)
        return self._risks[asked]

    def regime(self, row: int) -> Floats:
        if row not in self._regimes:
            self._regimes[row] = self.models.hmm.posterior(self.panel, row)
        return self._regimes[row]


RawScores = dict[np.datetime64, tuple[Floats, Floats]]


def decide(config: StrategyConfig, models: Models, panel: FeaturePanel, known: RawScores | None = None) -> Decision:
    """The decision of the panel's last session, from its last `config.history` rows only. `known` keeps the raw scores
    of earlier decisions on the same rows: they are what they were, and need not be computed again."""
    recent = panel.tail(config.history)
    scores = Scores(models, recent)
    if config.rule is not None:
        return _by_rule(config.rule, scores, [len(recent.sessions) - 1])[0]
    held = _held(config, len(recent.sessions) - 1)
    if known is not None:
        scores.remember({row: known[recent.sessions[row]] for row in held if recent.sessions[row] in known})
    decision = _decide_row(config, scores, len(recent.sessions) - 1)
    if known is not None:
        kept = {recent.sessions[row]: scores.at(row) for row in held}
        known.clear()
        known.update(kept)
    return decision


def scores_before(config: StrategyConfig, models: Models, panel: FeaturePanel) -> RawScores:
    """Raw scores of the panel's newest decisions that the next one will average with its own: what `decide` may be
    told as `known`, worked out before there is any hurry."""
    if config.rule is not None:
        return {}
    count = len(panel.sessions)
    rows = range(max(0, count - config.hold_sessions + 1), count)
    scores = Scores(models, panel)
    return {panel.sessions[row]: scores.at(row) for row in rows}


def decide_many(
    config: StrategyConfig, models: Models, panel: FeaturePanel, rows: Sequence[int], scores: Scores | None = None
) -> list[Decision]:
    """`decide` at each of the panel's `rows`, to the bit. `scores` lets configs that share models share the work."""
    scores = scores or Scores(models, panel)
    if config.rule is not None:
        return _by_rule(config.rule, scores, [int(row) for row in rows])
    scores.ask(sorted({back for row in rows for back in _held(config, int(row))}))
    return [_decide_row(config, scores, int(row)) for row in rows]


def _by_rule(rule: Chosen, scores: Scores, rows: list[int]) -> list[Decision]:
    """What a rule wants at these rows. The trees and the graph are not asked; the regime is told beside it."""
    panel, names = scores.panel, scores.models.hmm.names
    held, weights = book_of(rule).decided(in_full(panel), rows)
    unasked = np.full(len(panel.names), np.nan)
    return [
        Decision(session=panel.sessions[row], names=panel.names,
                 regime={state: float(p) for state, p in zip(names, scores.regime(row), strict=True)},
                 gbm=unasked, gnn=unasked, score=np.where(panel.tradable[row], held[at], np.nan), weights=weights[at])
        for at, row in enumerate(rows)
    ]


def _held(config: StrategyConfig, row: int) -> range:
    """The rows whose scores the decision at this one averages."""
    return range(max(0, row - config.hold_sessions + 1), row + 1)


def _decide_row(config: StrategyConfig, scores: Scores, row: int) -> Decision:
    panel = scores.panel
    held = [scores.blended(back, config.blend_gnn) for back in _held(config, row)]
    known = np.isfinite(np.stack(held))
    mean = np.where(known, np.stack(held), 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    score = np.where(known[-1] & panel.tradable[row], mean, np.nan)
    posterior = scores.regime(row)
    scale = dict(config.regime_gross)
    names = scores.models.hmm.names
    gross = config.gross * sum(float(p) * scale.get(state, 1.0) for state, p in zip(names, posterior, strict=True))
    gbm, gnn = scores.at(row)
    return Decision(
        session=panel.sessions[row], names=panel.names,
        regime={state: float(p) for state, p in zip(names, posterior, strict=True)},
        gbm=gbm, gnn=gnn, score=score,
        weights=dollar_neutral(_direction(config, scores, row, score), gross, config.max_weight,
                               None if panel.shortable is None else panel.shortable[row]),
    )


def _direction(config: StrategyConfig, scores: Scores, row: int, score: Floats) -> Floats:
    """Where the book should lean: the score less what correlated names already carry of it."""
    direction = np.full(score.shape, np.nan)
    active = np.isfinite(score)
    if int(active.sum()) > 1:
        likeness, vol = scores.risk(row, active, config.risk_window, config.risk_shrink)
        direction[active] = hedged(score[active], likeness, vol)
    return direction


__all__ = ["STATES", "Decision", "Models", "Scores", "StrategyConfig", "decide", "decide_many",
           "scores_before"]
