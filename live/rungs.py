"""Rungs govern money: what was judged and no more trades on paper, whatever venue it is pointed at."""

from models.bundle import BundleRefused
from models.manifest import RUNGS, Manifest

LOWEST_FOR_MONEY = "canary"


def refuse_below_canary(manifest: Manifest) -> None:
    """BundleRefused for a strategy whose rung does not allow a venue that keeps books of its own."""
    if RUNGS.index(manifest.rung) < RUNGS.index(LOWEST_FOR_MONEY):
        raise BundleRefused(f"the strategy is on the rung '{manifest.rung}', which trades on paper only; a real venue "
                            f"needs '{LOWEST_FOR_MONEY}' or above")
