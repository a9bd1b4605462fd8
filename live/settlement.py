"""The end of a session: what did not fill ends, holdings are marked, financing is paid, outcomes are told."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from live import canonical
from live.desk import Desk
from live.risk import RiskState
from models.market.costs import borrow_cost, cash_interest


def settle(desk: Desk, bars: Mapping[str, Sequence[float]], ignored: Mapping[str, int], *, complete: bool) -> None:
    """End what did not fill, close the session's books at once or not at all, and hand its day bars to the tail, if the
    feed lasted to the close."""
    desk.orders.collect(desk.booked)
    for tracked in desk.orders.working():
        name = tracked.order.instrument_id
        reason = "no bar, no fill" if name not in bars else "the opening print was beyond its limit price"
        if name in bars and tracked.filled:
            reason = "the rest was more than the session's liquidity allows"
        if tracked.order.reduce_only:
            reason = "the session ended first"
        desk.orders.cancel(tracked.order.order_id, reason)
    desk.orders.drain(desk.booked)
    desk.heed_venue("close")
    with desk.journal.transaction():
        _close(desk, bars, ignored, complete)
    if complete and desk.tail.missing_before(desk.times.session) == 0:
        day_bars = {name: (bar[0], bar[1], bar[2], bar[3], bar[4]) for name, bar in sorted(bars.items())}
        desk.tail.append(desk.times.session, day_bars, desk.actions)


def _close(desk: Desk, bars: Mapping[str, Sequence[float]], ignored: Mapping[str, int], complete: bool) -> None:
    session, book, costs = desk.times.session, desk.book, desk.terms.costs
    _tell_outcomes(desk, bars)
    day_bars = {name: (bar[0], bar[1], bar[2], bar[3], bar[4]) for name, bar in sorted(bars.items())}
    financed = desk.reconciler is None  # a venue that keeps books charges and pays it there
    borrow = math.fsum(float(borrow_cost(costs, holding.shares * holding.basis))
                       for holding in book.holdings.values() if holding.shares and financed)
    interest = float(cash_interest(costs, book.cash)) if financed else 0.0
    book.mark({name: bar[3] for name, bar in day_bars.items()}, session)
    book.cash += interest - borrow
    equity = book.equity()
    if ignored:
        desk.write("hazard", {"kind": "ignored_bars", **dict(sorted(ignored.items()))})
    if not complete:
        reason = "the feed ended before the session did: nothing is decided on its bars, the next bundle brings better"
        desk.write("hazard", {"kind": "incomplete_bars", "reason": reason})
    desk.write("bars", {"bars": {name: list(bar) for name, bar in day_bars.items()},
                        "actions": [[a.instrument_id, a.ex_date.isoformat(), a.kind, a.amount] for a in desk.actions],
                        **({} if complete else {"incomplete": True})})
    if desk.flattening and not book.shares():
        desk.flattening.done()
    if desk.state is RiskState.REDUCING and not desk.flattening and _calm(desk, equity):
        desk.move(RiskState.ACTIVE, "a session ended without a breach")
    desk.write("close", {
        **desk.counts, "book": book.as_json(), "equity": equity, "start_equity": desk.start_equity,
        "pnl": equity - desk.start_equity, "costs": desk.trade_cost + borrow, "trade_cost": desk.trade_cost,
        "borrow": borrow, "interest": interest, "dividends": desk.dividends, "state": desk.state,
        "ignored_bars": sum(ignored.values()),
        "decision_id": desk.decided["decision_id"] if desk.decided else None,
        "features_as_judged": desk.decided["features_as_judged"] if desk.decided else None,
        "unmarked": [name for name in book.shares() if name not in day_bars],
        **({"open_trades": desk.watch.as_json()} if desk.watch else {}),
        **({"rule": desk.inside.as_json()} if desk.inside else {}),
    })


def _calm(desk: Desk, equity: float) -> bool:
    """The state was inherited, and this session gave no reason to keep it."""
    own = [entry for entry in desk.journal.entries("state", desk.times.session)]
    limits = desk.terms.limits
    return (not own and desk.start_equity - equity < limits.daily_loss_reduce * desk.start_equity
            and desk.memory.drawdown(equity) < limits.drawdown_reduce)


def _tell_outcomes(desk: Desk, bars: Mapping[str, Sequence[float]]) -> None:
    """What the last decision's holdings came to, open to open, in dollars and in R (one ATR of the decision day)."""
    closed = desk.journal.last("close")
    decided = desk.journal.last("bars") if closed is not None and closed.payload["decision_id"] else None
    if closed is None or decided is None:
        return
    made = next(entry.payload for entry in desk.journal.entries("decision")
                if entry.payload["decision_id"] == closed.payload["decision_id"])
    atr_usd = dict(zip(made["names"], made["atr14_usd"], strict=True))
    since = [action for action in desk.known_actions if (closed.session or "") < action.ex_date.isoformat()]
    items: dict[str, Any] = {}
    for name, (shares, _, _, entry_price) in closed.payload["book"]["holdings"].items():
        if name not in bars:
            continue
        exit_price = bars[name][0]
        for action in (one for one in since if one.instrument_id == name):  # in the shares and dollars of the entry
            exit_price = exit_price * action.amount if action.kind == "split" else exit_price + action.amount
        before = decided.payload["bars"].get(name, [entry_price] * 4)
        side, risk = math.copysign(1.0, shares), atr_usd.get(name) or math.nan
        high, low = max(before[1], exit_price), min(before[2], exit_price)
        best, worst = (high, low) if side > 0 else (low, high)
        items[name] = {
            "shares": shares, "entry": entry_price, "exit": exit_price, "reason": "TIMEOUT",
            "pnl": shares * (exit_price - entry_price), "R": canonical.plain(side * (exit_price - entry_price) / risk),
            "mfe_R": canonical.plain(side * (best - entry_price) / risk),
            "mae_R": canonical.plain(side * (worst - entry_price) / risk),
        }
    desk.write("outcome", {"decision_id": made["decision_id"], "decided_for": closed.session,
                           "held_until": desk.times.open_at.isoformat(), "items": items})
