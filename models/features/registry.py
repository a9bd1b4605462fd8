"""Every feature, declared once. A new one is a `Feature` in its family's module and no other change anywhere."""

from collections.abc import Iterable

from models.features import (
    equity,
    exposures,
    futures,
    market,
    options,
    relative,
    session_calendar,
    statistical,
    technical,
)
from models.features.alpha158 import declared as alpha158
from models.features.auction import declared as auction
from models.features.feature import Feature
from models.features.graph import declared as graph
from models.features.positioning import declared as positioning
from models.features.statistical import garch
from models.features.tape import declared as tape

__all__ = ["DAILY", "FEATURES", "Feature", "families", "grouped", "named", "view_look_back"]

FEATURES: tuple[Feature, ...] = (
    *equity.FEATURES, *market.FEATURES, *options.FEATURES, *futures.FEATURES, *positioning.FEATURES, *auction.FEATURES,
    *technical.FEATURES, *statistical.FEATURES, *relative.FEATURES, *exposures.FEATURES,
    *session_calendar.FEATURES, *garch.FEATURES,
    *graph.FEATURES, *tape.FEATURES, *alpha158.FEATURES,
)  # fmt: skip

# What the daily equity strategies may look at, in the order of their panel. Pinned: a family or version that joins
# the registry must not move a bit of a strategy that was judged without it.
DAILY = (
    "equity_v1:ret_1", "equity_v1:ret_5", "equity_v1:ret_20", "equity_v1:resid_ret_5", "equity_v1:rank_ret_5",
    "equity_v1:vam_20", "equity_v1:zscore_20", "equity_v1:rsi_14", "equity_v1:atr_14", "equity_v1:rv_20",
    "equity_v1:volume_z_20", "equity_v1:overnight_gap", "equity_v1:close_location", "equity_v1:mkt_ret_1",
    "equity_v1:mkt_vol_20", "equity_v1:mkt_volume_z", "options_v1:put_call_ratio", "options_v1:share_0dte",
    "options_v1:gamma_exposure_bn", "options_v1:iv30", "futures_v1:es_poc_distance", "futures_v1:es_delta_share",
)  # fmt: skip


def grouped(features: Iterable[Feature]) -> dict[str, tuple[Feature, ...]]:
    """Features by the table they live in, such as `equity_v1`: one a family and version."""
    tables: dict[str, tuple[Feature, ...]] = {}
    for feature in features:
        tables[feature.view] = (*tables.get(feature.view, ()), feature)
    return tables


def families() -> dict[str, tuple[Feature, ...]]:
    """All that are registered, by table."""
    return grouped(FEATURES)


def named(names: tuple[str, ...]) -> tuple[Feature, ...]:
    """These features, in this order. `view:name` is exact; a bare name is the daily strategies' where they have one,
    else its newest version."""
    known: dict[str, Feature] = {}
    for feature in sorted(FEATURES, key=lambda item: (item.ref in DAILY, item.version)):
        known[feature.name] = known[feature.ref] = feature
    unknown = [name for name in names if name not in known]
    if unknown:
        bare = dict.fromkeys(feature.name for feature in FEATURES)
        raise KeyError(f"no such feature: {', '.join(unknown)}; known: {', '.join(bare)}")
    return tuple(known[name] for name in names)


def view_look_back(features: tuple[Feature, ...]) -> int:
    """How many sessions of bars a tail needs to compute all of these."""
    return max(feature.look_back for feature in features)
