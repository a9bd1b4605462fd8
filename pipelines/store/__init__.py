"""What is known, and when it was: feature tables on two clocks, and Feast over them."""

from pipelines.store.feast_home import feast_store
from pipelines.store.feature_registry import FeatureRegistry
from pipelines.store.feature_store import FeatureStore

__all__ = ["FeatureRegistry", "FeatureStore", "feast_store"]
