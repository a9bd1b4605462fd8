"""One day's statistics of the exchange as Cboe writes them: call and put volumes by product, ratios as text."""

import datetime as dt
import json
from typing import Any

import numpy as np

from pipelines.sandbox.cboe_wire import find_session
from pipelines.sandbox.chance import stream
from pipelines.sandbox.market import Market
from pipelines.sandbox.options import make_chain

PUBLISHED_AFTER_CLOSE = dt.timedelta(hours=2)
# Beside SPX, whose figures are those of its chain: a usual day's contracts, puts for a call, and open interest in days
# of volume. Fear moves all of them, VIX the other way: who fears buys its calls.
_OTHERS = {
    "EXCHANGE TRADED PRODUCTS": (900_000, 1.25, 9.0, 3.0),
    "EQUITY OPTIONS": (2_400_000, 0.62, 14.0, 4.0),
    "CBOE VOLATILITY INDEX (VIX)": (310_000, 0.55, 11.0, -6.0),
    "OEX": (1_600, 1.6, 6.0, 2.0),
}
_OF_INDICES = ("SPX + SPXW", "CBOE VOLATILITY INDEX (VIX)", "OEX")
_RATIO_OF = {"SUM OF ALL PRODUCTS": "TOTAL", "INDEX OPTIONS": "INDEX", "EQUITY OPTIONS": "EQUITY"}
Figures = dict[str, tuple[int, int]]  # volume and open_interest, each of calls and of puts


def statistics_body(market: Market, session: dt.date, now: dt.datetime) -> bytes | None:
    """None of a day that was no session, and before the evening."""
    number = find_session(market, now, session)
    if number is None or market.closes_at[number] + PUBLISHED_AFTER_CLOSE > now:
        return None
    key = ("statistics", number)
    if key not in market.bodies:
        market.bodies[key] = json.dumps(_document(_products(market, number))).encode()
    return market.bodies[key]


def _products(market: Market, number: int) -> dict[str, Figures]:
    days, luck = market.days, stream(market.settings.seed, "exchange", number - market.base + 100_000)
    move = float(np.log(days.index_close[number] / days.index_close[number - 1]))
    found = {"SPX + SPXW": _of_chain(market, number)}
    for product, (usual, puts_a_call, held_days, fear) in _OTHERS.items():
        total = usual * float(np.exp(luck.normal(0.0, 0.1) + 12.0 * abs(move)))
        ratio = puts_a_call * float(np.exp(luck.normal(0.0, 0.06) - fear * move))
        calls = round(total / (1.0 + ratio))
        volume = (calls, round(total) - calls)
        found[product] = {"volume": volume, "open_interest": (round(held_days * calls), round(held_days * volume[1]))}
    every = {"INDEX OPTIONS": _sum(found[name] for name in _OF_INDICES), **found}
    parts = (every["INDEX OPTIONS"], every["EXCHANGE TRADED PRODUCTS"], every["EQUITY OPTIONS"])
    return {"SUM OF ALL PRODUCTS": _sum(parts), **every}


def _of_chain(market: Market, number: int) -> Figures:
    """Of the contracts that traded today: what lingers from yesterday counts nowhere."""
    chain = make_chain(market, number)
    calls = np.array([contract[-9] == "C" for contract in chain.contract])
    alive = np.array([contract[-15:-9] >= f"{chain.session:%y%m%d}" for contract in chain.contract])
    return {
        name: (int(chain.columns[name][alive & calls].sum()), int(chain.columns[name][alive & ~calls].sum()))
        for name in ("volume", "open_interest")
    }


def _sum(parts: Any) -> Figures:
    told = list(parts)
    return {name: (sum(one[name][0] for one in told), sum(one[name][1] for one in told))
            for name in ("volume", "open_interest")}  # fmt: skip


def _document(products: dict[str, Figures]) -> dict[str, Any]:
    ratios = [
        {"name": f"{_RATIO_OF.get(name, name)} PUT/CALL RATIO", "value": f"{puts / calls:.2f}"}
        for name, figures in products.items()
        for calls, puts in (figures["volume"],)
        if calls
    ]
    sections = {
        name: [
            {"name": kind.upper().replace("_", " "), "call": calls, "put": puts, "total": calls + puts}
            for kind, (calls, puts) in figures.items()
        ]
        for name, figures in products.items()
    }
    return {"ratios": ratios, **sections}
