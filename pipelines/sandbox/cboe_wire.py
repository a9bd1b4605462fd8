"""CBOE's delayed chain as the vendor writes it: one JSON body, floats for sizes, two clocks without zones."""

import datetime as dt
import json
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from pipelines.sandbox.chance import stream
from pipelines.sandbox.market import Market
from pipelines.sandbox.options import chain_sessions, make_chain, published_at, vix


def find_session(market: Market, now: dt.datetime, session: dt.date | None) -> int | None:
    """Index of the newest chain published by `now`, or of the asked one if it was."""
    held = chain_sessions(market)
    if session is None:
        return next((number for number in reversed(held) if published_at(market, number) <= now), None)
    number = market.index_of.get(session, -1)
    return number if number in held and published_at(market, number) <= now else None


def chain_body(market: Market, number: int) -> bytes:
    key = ("chain", number)
    if key not in market.bodies:
        market.bodies[key] = json.dumps(_chain(market, number)).encode()
    return market.bodies[key]


def history_body(market: Market, index: str, now: dt.datetime) -> bytes | None:
    """The whole history of an index up to now, as the exchange's own CSV. SPX has closes only, VIX a day's range."""
    last = market.latest(now) + 1
    key = ("history", index, last)
    if index not in ("VIX", "SPX") or not last:
        return None
    if key not in market.bodies:
        days = [f"{session:%m/%d/%Y}" for session in market.sessions[:last]]
        if index == "SPX":
            lines = ["DATE,SPX", *(f"{day},{x:.2f}" for day, x in zip(days, market.days.index_close, strict=False))]
        else:
            luck = np.abs(stream(market.settings.seed, "vix").normal(0.0, 0.02, (len(market.sessions), 2)))
            closes = np.array([vix(market, number) for number in range(last)])
            opens = np.concatenate([closes[:1], closes[:-1]])
            high = np.maximum(opens, closes) * (1 + luck[:last, 0])
            low = np.minimum(opens, closes) * (1 - luck[:last, 1])
            rows = zip(days, *np.round([opens, high, low, closes], 2).tolist(), strict=True)
            lines = ["DATE,OPEN,HIGH,LOW,CLOSE", *(f"{d},{o:.6f},{h:.6f},{lo:.6f},{c:.6f}" for d, o, h, lo, c in rows)]
        market.bodies[key] = ("\n".join(lines) + "\n").encode()
    return market.bodies[key]


def _chain(market: Market, number: int) -> dict[str, Any]:
    chain = make_chain(market, number)
    closed = market.closes_at[number].astimezone(ZoneInfo("America/New_York")).replace(tzinfo=None)
    rng = stream(market.settings.seed, "prints", number - market.base + 100_000)
    earlier = rng.integers(1, 23_000, len(chain.contract))
    change = np.round(rng.normal(0.0, 0.08, len(chain.contract)), 4)
    columns = {name: values.tolist() for name, values in chain.columns.items()}
    options = []
    for place, contract in enumerate(chain.contract):
        row: dict[str, Any] = {name: values[place] for name, values in columns.items()}
        last, move = row["last_trade_price"], float(change[place])
        traded = closed - dt.timedelta(seconds=int(earlier[place])) if row["volume"] else None
        before = float(np.float32(last / (1 + move)))  # the vendor's own noise of single precision
        row |= {
            "option": contract, "change": round(last - before, 4), "open": last, "high": round(last * 1.05, 2),
            "low": round(last * 0.94, 2), "tick": "up" if move > 0 else "down",
            "last_trade_time": traded.isoformat() if traded else None,
            "percent_change": round(100 * move, 4), "prev_day_close": before,
        }  # fmt: skip
        options.append({name: row[name] for name in _FIELDS})
    spot, before_spot = chain.spot, round(float(market.days.index_close[number - 1]), 2)
    opened = round(float(market.days.index_open[number]), 2)
    data = {
        "options": options, "symbol": "^SPX", "security_type": "index", "exchange_id": 5, "current_price": spot,
        "price_change": round(spot - before_spot, 4), "price_change_percent": round(100 * (spot / before_spot - 1), 4),
        "bid": round(spot - 0.4, 2), "ask": round(spot + 0.4, 2), "bid_size": 1, "ask_size": 1,
        "open": opened, "high": round(max(spot, opened) * 1.001, 2), "low": round(min(spot, opened) * 0.999, 2),
        "close": spot, "prev_day_close": before_spot, "volume": 0, "iv30": round(100 * chain.iv30, 4),
        "iv30_change": 0.0, "iv30_change_percent": 0.0, "seqno": 40_000_000_000 + number,
        "last_trade_time": (closed - dt.timedelta(seconds=1)).isoformat(),
        "tick": "up" if spot > before_spot else "down",
    }  # fmt: skip
    stamp = chain.published_at.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S")
    return {"timestamp": stamp, "data": data, "symbol": "_SPX"}


_FIELDS = (
    "option bid bid_size ask ask_size iv open_interest volume delta gamma vega theta rho theo change open high low "
    "tick last_trade_price last_trade_time percent_change prev_day_close"
).split()
