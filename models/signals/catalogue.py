"""The rules that stand beside every learned strategy, each under the name that reports and the ledger know it by."""

from models.signals.book import AlphaBook
from models.signals.confluence import Confluence
from models.signals.ensemble import Ensemble
from models.signals.factors import MultiFactor
from models.signals.horizons import Horizon
from models.signals.intraday import RULES
from models.signals.meta import RegimeSwitch
from models.signals.momentum import Momentum
from models.signals.policy import Gated, PolicySwitch
from models.signals.reversion import MeanReversion
from models.signals.rotation import LAG
from models.signals.rules import RuleConfig
from models.signals.volatility import Breakout, Calm
from models.signals.votes import TrendAndVolatility, Voting

# The rotation among correlated names: with those whose neighbours rose, or that have yet to follow them.
ROTATION = RuleConfig("rotation", "graph_v1:neighbour_ret_5", 1.0)
CATCH_UP = RuleConfig("rotation-catch-up", LAG, 1.0)

BOOKS: tuple[AlphaBook, ...] = (
    AlphaBook("vam", Momentum()),
    AlphaBook("reversion", MeanReversion()),
    AlphaBook("breakout", Breakout()),
    AlphaBook("rule-ensemble", Ensemble()),
    AlphaBook("voting", Voting()),
    AlphaBook("trend-and-volatility", TrendAndVolatility()),
    AlphaBook("multi-factor", MultiFactor(), most_size=1.2),
    AlphaBook("confluence", Confluence(), hold_sessions=1, most_size=2.0),
    AlphaBook("regime-switch", RegimeSwitch(), most_size=1.25),
    AlphaBook("policy-switch", PolicySwitch()),
    AlphaBook("voting-gated", Gated(Voting())),
    AlphaBook("calm", Calm(), hold_sessions=1),
)
MEANINGS = {
    "vam": "volatility-adjusted momentum where ADX is above 25",
    "reversion": "against two deviations from the mean where Hurst is below one half",
    "breakout": "with a close outside its band while volatility rises",
    "rule-ensemble": "the three above by regime and inverse volatility",
    "voting": "seven indicators, where seven tenths of those that speak agree",
    "trend-and-volatility": "two averages that agree, while volatility is not high",
    "multi-factor": "the seven with regimes, stops and targets",
    "confluence": "options, order flow and technique above 70 %, by the size ladder",
    "regime-switch": "trend or reversion by the hidden Markov model's regime",
    "policy-switch": "trend, reversion or pin, by context",
    "voting-gated": "voting, where its confidence is above 0.7",
    "calm": "long what is not wild, at the size that GARCH allows",
    "rotation": "names whose neighbours by correlation rose",
    "rotation-catch-up": "names that lag their neighbours, by the graph network's own edges",
}


def of_horizon(horizon: Horizon) -> tuple[str, ...]:
    """Names of the rules that decide on it; on the shortest there is none: execution is no rule of this house."""
    if horizon is Horizon.INTRADAY:
        return tuple(RULES)
    cross_section = (ROTATION.name, CATCH_UP.name) if horizon is Horizon.SWING else ()
    return (*(one.name for one in BOOKS if one.horizon is horizon), *cross_section)
