"""What tables are made with: which features, the columns derived for them, and where their cells come from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from models.features import planted
from models.features.feature import Feature
from models.features.inputs import derive
from models.features.registry import FEATURES, families, grouped
from pipelines.store.sources import SOURCES, Source
from pipelines.store.versions import Derive


@dataclass(frozen=True)
class Recipe:
    """The registry's own is USUAL; another one is made to see the leak gate catch what is wrong with it."""

    name: str = "registry"
    features: tuple[Feature, ...] | None = None  # None: all that are registered
    derive: Derive = derive
    sources: Mapping[str, Source] = field(default_factory=lambda: SOURCES)

    def families(self) -> dict[str, tuple[Feature, ...]]:
        """Every table to build, and the features in it."""
        return families() if self.features is None else grouped(self.features)


def panels_of(recipe: Recipe) -> list[str]:
    """Every panel of cells that some view reads."""
    return sorted({features[0].cells for features in recipe.families().values()})


def views_of(recipe: Recipe, panel: str) -> list[str]:
    """The views that read this panel."""
    return [view for view, features in recipe.families().items() if features[0].cells == panel]


USUAL = Recipe()
PLANTED = Recipe("planted", (*FEATURES, planted.FEATURE), planted.derive_with_leak)


def of_settings(*, planted_leak: bool) -> Recipe:
    """What settings ask for: `leak.planted` adds a feature that looks ahead."""
    return PLANTED if planted_leak else USUAL
