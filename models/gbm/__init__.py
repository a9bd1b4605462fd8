"""Boosted trees; `MLStrategy` is read where it is asked for, since live needs scores and nothing beside them."""

from typing import Any


def __getattr__(name: str) -> Any:
    if name == "MLStrategy":
        from models.gbm.ml_strategy import MLStrategy

        return MLStrategy
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
