"""A challenger beside the champion: it decides on the same rows at the same time, is journaled, and sends nothing."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from live.adapters.bundles import FolderBundles
from live.deciding import plan
from live.desk import actions_in
from live.engine import DECIDE_BEFORE_OPEN
from live.journal import Journal
from live.ports import Action
from live.tail import Tail
from models.bundle import Bundle, BundleRefused, load
from models.market.costs import CostModel


class Shadow:
    """Loaded and verified as any bundle is. It knows no limits: what it would have done is asked, not what it may."""

    def __init__(self, bundle: Bundle, costs: CostModel) -> None:
        self.bundle, self._costs = bundle, costs

    def decide(self, journal: Journal, session: dt.date, actions: Sequence[Action]) -> str | None:
        """Journal its decision for a session, once; why not, where it cannot decide."""
        earlier = [entry for entry in journal.entries("shadow")
                   if entry.payload["bundle"]["digest"] == self.bundle.digest]
        if any(entry.session == session.isoformat() for entry in earlier):
            return None
        tail = Tail(self.bundle)
        for entry in journal.entries("bars"):
            day = dt.date.fromisoformat(entry.session or "")
            times = tail.times(day)
            if not entry.payload.get("incomplete") and times is not None and day > tail.newest \
                    and not tail.missing_before(day):
                tail.decision_panel(times, times.open_at - DECIDE_BEFORE_OPEN)
                tail.append(day, entry.payload["bars"], actions_in(entry.payload))
        times = tail.times(session)
        if times is None or session <= tail.newest:
            return f"session {session} is none that the challenger can be tried on"
        if tail.missing_before(session):
            return f"the challenger lacks the bars of {tail.missing_before(session)} session(s) before {session}"
        held = {}
        if earlier:
            last = earlier[-1].payload
            held = {name: int(wanted) for name, wanted in zip(last["names"], last["wanted"], strict=True) if wanted}
        for action in actions:
            if action.kind == "split" and action.ex_date == session and action.instrument_id in held:
                held[action.instrument_id] = int(held[action.instrument_id] * action.amount)
        at = times.open_at - DECIDE_BEFORE_OPEN
        made = plan(self.bundle, tail, times, at, actions, held, self._costs)
        journal.append("shadow", session, at, {**made.as_json(self.bundle), "held": held})
        return None


def challenger(path: Path, verify_keys: Sequence[bytes], now: dt.datetime, costs: CostModel) -> Shadow:
    """The bundle in a folder, or the newest one of a folder of bundles; BundleRefused says why it is none."""
    newest = FolderBundles(path).newest()
    if newest is None:
        raise BundleRefused(f"no bundle in {path}")
    return Shadow(load(newest, verify_keys, 0, now), costs)
