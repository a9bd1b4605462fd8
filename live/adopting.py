"""The venue's books taken over by hand: what differs, and why a person says so, goes into the journal."""

from collections.abc import Mapping
from pathlib import Path

from live.adapters.brokers import broker_named
from live.adapters.bundles import FolderBundles
from live.clock import SystemClock
from live.journal import Journal
from live.recovery import adopt
from live.settings import load_keys
from models.bundle import load
from models.market.costs import CostModel


def adopt_from(journal: Path, bundles: Path, keys: Path, broker: str, reason: str,
               environment: Mapping[str, str]) -> str:
    """One sentence about what was taken over."""
    folder, now = FolderBundles(bundles).newest(), SystemClock().now()
    if folder is None:
        raise ValueError(f"no approved bundle in {bundles}")
    bundle = load(folder, load_keys(keys), 0, now)
    bars = bundle.snapshot.bars
    prices = dict(zip(bars.names, bars.columns["close"][-1].tolist(), strict=True))
    with Journal(journal, ahead=True) as book:
        told = adopt(book, broker_named(broker, bundle, environment), CostModel.default().capital_usd, prices, reason,
                     now)
    shares = ", ".join(f"{name} {more:+,}" for name, more in told["shares"].items()) or "no position"
    return f"Taken over from {broker}: cash {told['cash']:+,.2f} USD, {shares}. The next start compares again."
