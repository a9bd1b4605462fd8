"""`FeatureRegistry`: every feature in words, under the name that people look for."""

from typing import Any

from models.features.registry import FEATURES, named
from pipelines.store import catalogue


class FeatureRegistry:
    """Features are declared in code, once, with their kernel; this is what the declarations say."""

    def names(self) -> tuple[str, ...]:
        """In full, `family_vVERSION:name`: both versions of a formula stand beside each other."""
        return tuple(feature.ref for feature in FEATURES)

    def describe(self, name: str) -> dict[str, Any]:
        """Formula, inputs and marts, staleness, version and more; by the full name or a bare one. KeyError without."""
        return catalogue.entry(named((name,))[0])

    def to_yaml(self) -> str:
        """All of them: what `nightdesk features list --yaml FILE` writes."""
        return catalogue.as_yaml(catalogue.entries())
