"""What past sessions did to the account, as far as a limit asks: the peak, the month, and losses in a row."""

import datetime as dt
import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from live.risk.limits import Limits

RECENT = 20  # results that sizing looks back on


@dataclass
class Memory:
    """Rebuilt from the journal's closes at every start: a restart forgets no loss."""

    peak_equity: float
    last_equity: float
    month_equity: float  # at the last close of the month before `month`
    month: tuple[int, int] = (0, 0)
    losses_in_a_row: int = 0
    last_loss_at: dt.datetime | None = None
    by_trade: bool = False  # losses and results are counted by trade, not by session
    results: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT))

    @classmethod
    def since(cls, capital_usd: float, closes: Iterable[tuple[dt.datetime, dt.date | None, float]],
              trades: Iterable[tuple[dt.datetime, float]] | None = None) -> "Memory":
        memory = cls(capital_usd, capital_usd, capital_usd, by_trade=trades is not None)
        for at, session, equity in closes:
            if session is None:
                memory.flowed(equity)
            else:
                memory.closed(at, session, equity)
        for at, profit in trades or ():
            memory.exited(at, profit)
        return memory

    def flowed(self, usd: float) -> None:
        """Money that came or went by hand is neither profit nor loss."""
        self.last_equity, self.peak_equity = self.last_equity + usd, self.peak_equity + usd
        self.month_equity += usd

    def opened(self, session: dt.date) -> None:
        """A session begins; the first of a month remembers what it began with."""
        if (session.year, session.month) != self.month:
            self.month, self.month_equity = (session.year, session.month), self.last_equity

    def closed(self, at: dt.datetime, session: dt.date, equity: float) -> None:
        self.opened(session)
        if not self.by_trade:
            self.exited(at, equity - self.last_equity)
        self.last_equity, self.peak_equity = equity, max(self.peak_equity, equity)

    def exited(self, at: dt.datetime, profit: float) -> None:
        """One trade ended: a position of its own, or a session of a portfolio that is decided as one."""
        self.results.append(profit)
        if profit < 0:
            self.losses_in_a_row, self.last_loss_at = self.losses_in_a_row + 1, at
        elif profit > 0:
            self.losses_in_a_row = 0

    def drawdown(self, equity: float) -> float:
        return _lost(self.peak_equity, equity)

    def month_loss(self, equity: float) -> float:
        return _lost(self.month_equity, equity)

    def cooling_until(self, limits: Limits, now: dt.datetime) -> dt.datetime | None:
        """The end of the cooling-off that `now` lies in."""
        if self.last_loss_at is None or self.losses_in_a_row < limits.max_losses_in_a_row:
            return None
        until = self.last_loss_at + dt.timedelta(seconds=min(limits.cooling_off_s, 1e9))
        return until if now < until else None

    def headroom(self, limits: Limits, equity: float, daily_loss: float) -> float:
        """The least share left of what drawdown and daily loss allow; 1 where neither is limited."""
        return min(_left(self.drawdown(equity), limits.drawdown_halt), _left(daily_loss, limits.daily_loss_halt))


def _lost(before: float, now: float) -> float:
    return (before - now) / before if before > 0 else math.inf


def _left(lost: float, most: float) -> float:
    if math.isinf(most):
        return 1.0
    return min(1.0, max(0.0, (most - lost) / most)) if most > 0 else 0.0
