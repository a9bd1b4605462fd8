"""Looks at the account and at the process every few seconds, beside the engine, and says what a person must hear."""

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from live.alert_settings import Rules
from live.alerts import Alert, Alerter, Severity
from live.hub import Event
from live.stream import Events
from live.view import View
from live.vitals import Vitals
from models.validation.decay import Watch

log = logging.getLogger(__name__)
EVERY_S = 2.0
WORSE: dict[str, Severity] = {"ACTIVE": "info", "REDUCING": "warning", "HALTED": "critical"}


@dataclass(frozen=True)
class Expected:
    """What the champion was judged to earn: annual Sharpe in excess of cash, and the volatility of one session."""

    sharpe: float
    daily_volatility: float
    cash_rate_session: float


@dataclass
class Lookout:
    """One look is a pure reading of view, vitals and events; `watching` looks again and again in its own thread."""

    view: View
    alerter: Alerter
    rules: Rules
    now: Callable[[], str]
    events: Events
    vitals: Vitals | None = None
    expected: Expected | None = None  # what the champion was judged to earn; without it decay is not looked for
    _seen: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._seen = self.events.newest

    def look(self) -> None:
        at = self.now()
        happened = self.events.since(self._seen)
        if happened:
            self._seen = happened[-1]["n"]
        for event in happened:
            for kind, how_bad, text in _told(event):
                self.alerter.post(Alert(kind, how_bad, text, str(event.get("at", at)), f"event {event['n']}"))
        for kind, severity, text, key in self._conditions():
            if severity is None:
                self.alerter.cleared(key)
            else:
                self.alerter.post(Alert(kind, severity, text, at, key))

    def _conditions(self) -> Iterator[tuple[str, Severity | None, str, str]]:
        rules = self.rules
        if self.vitals is not None:
            vitals = self.vitals.document()
            slow, memory_mb, silent_s = vitals["cycle_p99_ms"], vitals["memory_mb"], vitals["feed_silent_s"]
            yield ("latency", "warning" if slow is not None and slow > rules.latency_ms else None,
                   f"one cycle in a hundred takes {slow or 0:.0f} ms or more; {rules.latency_ms:g} ms is the budget",
                   "latency")
            yield ("memory", "warning" if memory_mb > rules.memory_mb else None,
                   f"the runner has {memory_mb:.0f} MB of memory; {rules.memory_mb:g} MB is the budget", "memory")
            yield ("stale_feed", "critical" if silent_s is not None and silent_s > rules.stale_feed_s else None,
                   f"no bar of any name for {silent_s or 0:.0f} s of market time", "stale_feed")
        trades = self.view.trades(rules.win_rate_trades)
        won = sum(trade["pnl"] > 0 for trade in trades) / len(trades) if trades else 1.0
        yield ("win_rate", "warning" if len(trades) >= rules.win_rate_trades and won < rules.win_rate else None,
               f"{won:.0%} of the last {len(trades)} positions made money; {rules.win_rate:.0%} was asked for",
               "win_rate")
        for row in self.view.used():
            used = row["used"] if isinstance(row["used"], float) else 0.0 if row["used"] is None else 2.0
            yield ("limit", "critical" if used >= 1.0 else "warning" if used >= rules.limit_used else None,
                   f"{row['limit']} has used {used:.0%} of its limit", f"limit {row['limit']}")
        if self.expected is not None:
            yield self._decay(self.expected)

    def _decay(self, expected: Expected) -> tuple[str, Severity | None, str, str]:
        test = Watch(expected.sharpe, 0.0)
        capital, cash = self.view.capital_usd, expected.cash_rate_session
        excess = np.array([row["pnl"] / capital - cash for row in self.view.pnl()["sessions"]])
        level = float(test.statistic(excess, expected.daily_volatility)[-1]) if len(excess) else 0.0
        return ("decay", "warning" if level >= test.level else None,
                f"live earns less than it was judged to: evidence {level:.1f} of {test.level:.1f}; a healthy strategy "
                f"comes this far once in {test.false_alarm_sessions:g} sessions", "decay")

    def watching(self) -> "_Looking":
        return _Looking(self)


class _Looking:
    """A context: looks until it is left, and once more then."""

    def __init__(self, watch: Lookout) -> None:
        self._watch = watch
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="watch", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._look()

    def _go_on(self) -> None:
        while not self._ended.wait(EVERY_S):
            self._look()

    def _look(self) -> None:
        try:
            self._watch.look()
        except (sqlite3.Error, OSError) as problem:  # the next look may see again
            log.warning("the account could not be looked at: %s", type(problem).__name__)


def _told(event: Event) -> Iterator[tuple[str, Severity, str]]:
    """What of an event a person must hear of at once."""
    told = event.get("told", {})
    match event["kind"]:
        case "state":
            yield "state", WORSE[told["state"]], f"{told['was']} to {told['state']}: {told['reason']}"
        case "kill":
            yield ("kill_switch", "critical",
                   f"thrown by {event['by']}: {event['mode']}; {event['cancelled']} orders were cancelled")
        case "hazard":
            kind = told["kind"]
            rest = " ".join(f"{name} {value}" for name, value in told.items() if name != "kind")
            text = f"{kind.replace('_', ' ')}: {rest}"
            yield "stale_feed" if kind == "feed_silent" else "hazard", "warning", text
        case "hold" | "cooling":
            yield event["kind"], "warning", told.get("reason") or f"cooling off until {told['until']}"
        case "break":
            yield "break", "critical", "our books and the venue's differ: trading is halted"
