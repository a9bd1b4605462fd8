"""`MarketContext`: what options, futures and the index say of the market at one moment, in one record."""

import datetime as dt
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.home import Home
from pipelines.lake import marts

if TYPE_CHECKING:
    import pandas as pd

PINNING = "PINNING"  # beside the regimes by rule: what the index is held at counts before where it goes
FEAR = ("LOW", "NORMAL", "HIGH", "EXTREME")  # by VIX: under 15, 20, 30, and from there on
_BARS = 2 * 252 + 60  # a year to rank a year's volatility in, and what the first of its rows looks back on
_OPTIONS = "select * from option_metrics where underlying = $1 order by session desc limit 1"
_PROFILE = """
    select p.* from volume_profile as p
    left join roll_calendar as r on r.root = p.root and r.session = p.session and r.rule = 'volume'
    where p.root = $1
    order by p.session desc, coalesce(p.symbol = r.symbol, false) desc, p.total_volume desc, p.symbol limit 1
"""


@dataclass(frozen=True)
class MarketContext:
    """Numbers that nobody told are NaN, and words None: what is not known is never a zero.

    `regime` is PINNING, or one of `models.signals.MarketRegime` by the index's own bars; `volatility_regime` is VIX's.
    `trend_strength` lies between -1 and 1; `mean_reversion_signal` is the rule's, against the last move."""

    timestamp: dt.datetime
    spx_0dte_volume: float
    total_spx_volume: float
    dte_0_share: float
    put_call_ratio: float
    gamma_exposure: float
    es_vah: float
    es_val: float
    es_poc: float
    nq_vah: float
    nq_val: float
    nq_poc: float
    regime: str | None
    volatility_regime: str | None
    trend_strength: float
    mean_reversion_signal: float

    @classmethod
    def of(cls, home: Home | Path | str, at: dt.datetime | None = None) -> "MarketContext":
        """As it could be known at that moment; without one, of all that the home knows."""
        lake = home if isinstance(home, Home) else Home(Path(home))
        with marts.connect(lake, as_of=at) as connection:
            def newest(query: str, *given: Any) -> dict[str, Any]:
                found = connection.execute(query, list(given))
                names = [column[0] for column in found.description]
                return next((dict(zip(names, row, strict=True)) for row in found.fetchall()), {})

            options = newest(_OPTIONS, "SPX")
            es, nq = newest(_PROFILE, "ES"), newest(_PROFILE, "NQ")
            vix = newest("select close from index_levels where \"index\" = 'VIX' order by session desc limit 1")
            bars = connection.execute(
                "select session, open, high, low, close from index_levels where \"index\" = 'SPX' "
                f"order by session desc limit {_BARS}"
            ).df().iloc[::-1]  # fmt: skip
        calls, puts = _number(options, "call_volume"), _number(options, "put_volume")
        told = _by_rule(bars)
        return cls(
            timestamp=at or dt.datetime.now(dt.UTC),
            spx_0dte_volume=_number(options, "volume_0dte"), total_spx_volume=calls + puts,
            dte_0_share=_number(options, "share_0dte"), put_call_ratio=_number(options, "put_call_ratio"),
            gamma_exposure=_number(options, "gamma_exposure"),
            es_vah=_number(es, "vah"), es_val=_number(es, "val"), es_poc=_number(es, "poc"),
            nq_vah=_number(nq, "vah"), nq_val=_number(nq, "val"), nq_poc=_number(nq, "poc"),
            regime=PINNING if _pinned(options) else told["regime"],
            volatility_regime=_fear(_number(vix, "close")),
            trend_strength=told["trend"], mean_reversion_signal=told["reversion"],
        )  # fmt: skip


def _number(row: dict[str, Any], name: str) -> float:
    value = row.get(name)
    return math.nan if value is None else float(value)


def _pinned(options: dict[str, Any]) -> bool:
    """Dealers long gamma, the first pin within reach, much expiring today: the policy's own question."""
    import numpy as np

    from models.features.positioning.kernels import pinned
    from models.signals.policy import PolicySwitch

    pins = options.get("pin_strikes")
    asked = [math.nan if not pins else pins[0], _number(options, "spot"), _number(options, "gamma_exposure")]
    held = pinned(*(np.array([one]) for one in asked))
    return bool(held > 0.0) and _number(options, "share_0dte") >= PolicySwitch().least_same_day


def _fear(vix: float) -> str | None:
    import numpy as np

    from models.features.positioning.kernels import fear_regime

    return None if math.isnan(vix) else FEAR[int(fear_regime(np.array([vix])))]


def _by_rule(bars: "pd.DataFrame") -> dict[str, Any]:
    """Regime, trend and reversion of the index by the rules that are judged every night."""
    from models.signals import MeanReversionAlphaModel
    from models.signals.regimes import HISTORY, REGIMES, RegimeRules, trend_of
    from models.signals.seeds import panel_of_bars

    if bars.empty:
        return {"regime": None, "trend": math.nan, "reversion": math.nan}
    rules = RegimeRules()
    panel = panel_of_bars(bars, rules.features, HISTORY)
    return {
        "regime": str(REGIMES[int(rules.of_panel(panel)[-1, 0])]), "trend": float(trend_of(panel)[-1, 0]),
        "reversion": float(MeanReversionAlphaModel().generate_signal(bars).value),
    }
