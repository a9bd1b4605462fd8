"""Every feature, declared once. A new one is a `Feature` in its family's module and no other change anywhere."""

from models.features import equity, futures, market, options
from models.features.feature import Feature

__all__ = ["FEATURES", "Feature", "families", "named", "view_look_back"]

FEATURES: tuple[Feature, ...] = (*equity.FEATURES, *market.FEATURES, *options.FEATURES, *futures.FEATURES)


def families(extra: tuple[Feature, ...] = ()) -> dict[str, tuple[Feature, ...]]:
    """Features by the table they live in, such as `equity_v1`."""
    grouped: dict[str, tuple[Feature, ...]] = {}
    for feature in (*FEATURES, *extra):
        grouped[feature.view] = (*grouped.get(feature.view, ()), feature)
    return grouped


def named(names: tuple[str, ...]) -> tuple[Feature, ...]:
    """The newest version of each of these features, in this order."""
    newest = {feature.name: feature for feature in sorted(FEATURES, key=lambda item: item.version)}
    unknown = [name for name in names if name not in newest]
    if unknown:
        raise KeyError(f"no such feature: {', '.join(unknown)}; known: {', '.join(newest)}")
    return tuple(newest[name] for name in names)


def view_look_back(features: tuple[Feature, ...]) -> int:
    """How many sessions of bars a tail needs to compute all of these."""
    return max(feature.look_back for feature in features)
