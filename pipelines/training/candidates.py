"""What is judged tonight: a few settings of one strategy, and the rules it must beat."""

from dataclasses import dataclass, replace
from typing import Literal

from models.gbm.config import GbmConfig
from models.gnn.config import GnnConfig
from models.hmm.config import HmmConfig
from models.signals.chosen import chosen
from models.signals.rules import MOMENTUM, REVERSAL, RuleConfig
from models.strategy import StrategyConfig
from pipelines.settings import Settings

# One label, horizon and universe: N is counted over everything ever judged on it.
TARGET = "daily-equity: total return open to open, tradable equities"

ACROSS = ("ret_1", "ret_5", "ret_20", "resid_ret_5", "vam_20", "zscore_20", "rsi_14", "atr_14", "rv_20",
          "volume_z_20", "overnight_gap", "close_location")
CONTEXT = ("mkt_ret_1", "mkt_vol_20", "put_call_ratio", "share_0dte", "gamma_exposure_bn", "iv30",
           "es_poc_distance", "es_delta_share")
GRAPH = ("ret_1", "ret_5", "ret_20", "zscore_20")


@dataclass(frozen=True)
class Candidate:
    """One trial: a strategy that could be promoted, or a baseline that never is."""

    kind: Literal["candidate", "baseline"]
    config: StrategyConfig | RuleConfig

    @property
    def name(self) -> str:
        return self.config.name

    @property
    def key(self) -> str:
        return self.config.key()


def strategies(settings: Settings, known: tuple[str, ...]) -> tuple[StrategyConfig, ...]:
    """The grid of position rules over one set of models: how much graph, how long a score is held.

    `known` are the panel's columns: context of a vendor that is not connected is left out."""
    context = tuple(name for name in CONTEXT if name in known)
    trees, asked = settings.gbm, settings.training
    gbm = GbmConfig(features=ACROSS, context=context, rounds=asked.boost_rounds, weights=trees.weights,
                    label_rows=StrategyConfig.horizon if trees.weights == "unique" else GbmConfig.label_rows,
                    monotone=tuple(sorted(trees.monotone.items())), interactions=trees.interactions)
    gnn = GnnConfig(features=GRAPH, epochs=asked.gnn_epochs, **settings.gnn.model_dump())
    hmm = HmmConfig(**settings.hmm.model_dump())
    return tuple(
        StrategyConfig(f"ensemble-g{int(blend * 100):02d}-h{hold}", hold_sessions=hold, blend_gnn=blend,
                       gbm=gbm, gnn=gnn, hmm=hmm)
        for blend in (0.0, 0.5, 0.8) for hold in (3, 5)
    )


def candidates(settings: Settings, known: tuple[str, ...]) -> tuple[Candidate, ...]:
    learned = tuple(Candidate("candidate", config) for config in strategies(settings, known))
    ruled = tuple(Candidate("candidate", replace(strategies(settings, known)[0], name=name, rule=chosen(name)))
                  for name in settings.strategies.rules)
    return (*learned, *ruled, Candidate("baseline", MOMENTUM), Candidate("baseline", REVERSAL))
