"""The rules that a desk may let decide in place of learned scores: they read what live computes from daily bars."""

from dataclasses import replace

from models.features.panel import FeaturePanel
from models.signals.book import AlphaBook
from models.signals.catalogue import BOOKS

CHOOSABLE = ("vam", "reversion", "breakout", "rule-ensemble", "voting", "voting-gated", "trend-and-volatility",
             "multi-factor", "calm")
Chosen = tuple[str, str]  # a rule's name and its key: another rule under the name is another strategy


def chosen(name: str) -> Chosen:
    if name not in CHOOSABLE:
        raise ValueError(f"no rule '{name}' to choose; there are {', '.join(CHOOSABLE)}")
    return name, next(book for book in BOOKS if book.name == name).key()


def book_of(rule: Chosen) -> AlphaBook:
    """The rule that was meant; ValueError where this code knows another one under its name, or none."""
    name, key = rule
    if chosen(name)[1] != key:
        raise ValueError(f"the rule '{name}' is not the one that was chosen: this code decides otherwise")
    return next(book for book in BOOKS if book.name == name)


def columns_of(rule: Chosen) -> tuple[str, ...]:
    """What the rule reads, as a panel calls it: what the daily strategies read by bare name, the rest in full."""
    from models.features.registry import DAILY

    return tuple(ref.partition(":")[2] if ref in DAILY else ref for ref in book_of(rule).features)


def in_full(panel: FeaturePanel) -> FeaturePanel:
    """The same panel with every column by its full name."""
    from models.features.registry import DAILY

    full = {ref.partition(":")[2]: ref for ref in DAILY}
    return replace(panel, features=tuple(full.get(name, name) for name in panel.features))
