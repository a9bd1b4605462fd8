"""From the newest rows to the trades a strategy wants: scores, weights, whole shares. Nothing is sent from here."""

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live import canonical
from live.ports import Action
from live.risk import Proposal
from live.tail import Tail
from models.bundle import Bundle, SessionTimes
from models.features.panel import FeaturePanel
from models.market.costs import CostModel, target_shares
from models.strategy import Decision, decide

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Plan:
    """What one decision saw and wanted; arrays are in the order of `decision.names`."""

    decision_id: str
    panel: FeaturePanel
    features_as_judged: bool | None  # this row equals, in bits, the one that research made of it; None: not told
    decision: Decision
    reference: Floats  # last close in today's shares
    wanted: Floats  # target position, whole shares
    adv20_usd: Floats
    vol20_daily: Floats
    atr14_usd: Floats
    proposals: tuple[Proposal, ...]
    scale: float = 1.0

    def liquidity(self) -> dict[str, tuple[float, float]]:
        return dict(zip(self.decision.names, zip(self.adv20_usd.tolist(), self.vol20_daily.tolist(), strict=True),
                        strict=True))

    def row_as_json(self, index: int) -> dict[str, Any]:
        """One decision row of the panel, from which scores can be computed again to the bit."""
        return {"session": str(self.panel.sessions[index]), "values": canonical.packed(self.panel.values[index]),
                "tradable": self.panel.tradable[index].tolist(),
                **({"shortable": self.panel.shortable[index].tolist()} if self.panel.shortable is not None else {})}

    def as_json(self, bundle: Bundle) -> dict[str, Any]:
        made = self.decision
        return {
            "decision_id": self.decision_id,
            "bundle": {"digest": bundle.digest, "seq": bundle.seq, "folder": bundle.path.name},
            "strategy": {"name": bundle.strategy.name, "key": bundle.strategy.key()},
            "features": [[name, entry.version] for name, entry in
                         zip(self.panel.features, bundle.manifest.features, strict=True)],
            "features_as_judged": self.features_as_judged,
            "regime": {state: canonical.plain(share) for state, share in made.regime.items()},
            "names": list(made.names), "symbols": list(bundle.snapshot.symbols),
            "gbm": canonical.packed(made.gbm), "gnn": canonical.packed(made.gnn),
            "score": canonical.packed(made.score), "weights": canonical.packed(made.weights),
            "reference": canonical.packed(self.reference), "wanted": canonical.packed(self.wanted),
            "adv20_usd": canonical.packed(self.adv20_usd), "vol20_daily": canonical.packed(self.vol20_daily),
            "atr14_usd": canonical.packed(self.atr14_usd),
            **({"scale": self.scale} if self.scale != 1.0 else {}),
        }


def plan(
    bundle: Bundle, tail: Tail, times: SessionTimes, decided_at: dt.datetime, actions: Sequence[Action],
    held: dict[str, int], costs: CostModel, scale_of: Callable[[Mapping[str, float]], float] = lambda regime: 1.0,
) -> Plan:
    """Decide for the coming session, and turn weights of the stated capital into whole shares as the judge does.
    `scale_of` a regime is what sizes are multiplied by, where a person's limits say that they adapt."""
    panel = tail.decision_panel(times, decided_at)
    decision = decide(bundle.strategy, bundle.models, panel, tail.scores)
    reference = tail.reference_prices(times.session, actions)
    scale = scale_of(decision.regime)
    weights = decision.weights if scale == 1.0 else decision.weights * scale
    wanted = target_shares(weights, costs.capital_usd, reference)
    adv20_usd, vol20_daily = tail.liquidity()
    atr14_usd = tail.atr14_usd(reference)
    proposals = []
    for index, name in enumerate(decision.names):
        change = int(wanted[index]) - held.get(name, 0) if math.isfinite(wanted[index]) else 0
        if change:
            proposals.append(Proposal(name, change, float(reference[index]), float(decision.score[index]),
                                      bool(panel.tradable[-1, index]), float(atr14_usd[index])))
    decision_id = canonical.name_of("decision", bundle.digest, times.session.isoformat())
    return Plan(decision_id, panel, tail.as_judged(panel), decision, reference, wanted, adv20_usd, vol20_daily,
                atr14_usd, tuple(proposals), scale)
