"""Which bundle trades: the newest approved one after full verification, at the start and between two bars."""

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from live.deciding import plan
from live.journal import Journal
from live.ports import BundleSource, Clock
from models.bundle import Bundle, BundleRefused, load

if TYPE_CHECKING:
    from live.desk import Desk


def take(source: BundleSource, journal: Journal, verify_keys: Sequence[bytes], clock: Clock) -> Bundle | None:
    """Load a bundle after full verification, never one older than any seen, and remember that it was. One that was
    taken before it expired is taken up again afterwards: its positions need somebody to close them."""
    path = source.newest()
    if path is None:
        return None
    seen = journal.last("bundle")
    last_seq, digest = (int(seen.payload["seq"]), seen.payload["digest"]) if seen else (0, None)
    try:
        bundle = load(path, verify_keys, last_seq, clock.now(), last_digest=digest)
    except BundleRefused:
        if seen is None or path.name != seen.payload["folder"]:
            raise
        bundle = load(path, verify_keys, last_seq, dt.datetime.fromisoformat(seen.at), last_digest=digest)
    if bundle.seq > last_seq:
        _remember(bundle, journal, clock.now())
    return bundle


def _remember(bundle: Bundle, journal: Journal, at: dt.datetime) -> None:
    journal.append("bundle", None, at, {
        "seq": bundle.seq, "digest": bundle.digest, "folder": bundle.path.name, "strategy": bundle.strategy.name})


@dataclass
class Renewal:
    """Looks where bundles are published. What is refused is told once, and the bundle in use stays."""

    source: BundleSource
    verify_keys: Sequence[bytes]
    _refused: Path | None = None
    _silent: bool = False

    def newer(self, desk: "Desk") -> Bundle | None:
        """A newer bundle that passed every check, or None."""
        path, used = None, desk.bundle
        try:
            path = self.source.newest()
            if path is None or path in (used.path, self._refused):
                return None
            found = load(path, self.verify_keys, used.seq, desk.clock.now(), last_digest=used.digest)
        except BundleRefused as refusal:
            if path != self._refused or path is None:
                desk.write("hazard", {"kind": "bundle_refused", "folder": path.name if path else None,
                                      "reason": refusal.reason})
            self._refused = path
            return None
        except OSError as silent:  # where bundles lie does not answer: the one in use stays
            if not self._silent:
                desk.write("hazard", {"kind": "bundles_out_of_reach", "reason": str(silent)})
            self._silent = True
            return None
        self._silent = False
        return found if found.seq > used.seq else None


def tell(desk: "Desk", found: Bundle) -> None:
    """Before it may trade: what it would change in the positions that it takes over, and that it was taken."""
    held = desk.book.shares()
    wanted: dict[str, int] = {}
    if found.strategy.intraday is None:
        made = plan(found, desk.tail, desk.times, desk.clock.now(), desk.known_actions, held, desk.terms.costs)
        wanted = {name: int(shares) for name, shares in zip(made.decision.names, made.wanted.tolist(), strict=True)
                  if math.isfinite(shares)}
    delta = {name: wanted.get(name, 0) - held.get(name, 0) for name in sorted({*held, *wanted})}
    desk.write("renewal", {
        **{word: {"seq": one.seq, "digest": one.digest} for word, one in (("from", desk.bundle), ("to", found))},
        "held": dict(sorted(held.items())), "wanted": wanted if found.strategy.intraday is None else None,
        "delta": {name: change for name, change in delta.items() if change}})
    _remember(found, desk.journal, desk.clock.now())
