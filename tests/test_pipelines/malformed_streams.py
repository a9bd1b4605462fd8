"""Records of streams that hold more than trades: good ones, and how they are put together after some were spoilt."""

import datetime as dt
import random
from collections.abc import Callable
from typing import Any

import numpy as np

from pipelines.vendors import dbn, times
from tests.test_pipelines import bodies, streams

UTC_DAY_NS = bodies.DAY_NS - bodies.DAY_NS % 86_400_000_000_000


def micros(moment: dt.datetime) -> int:
    return times.to_instant(moment)


def of_kind(*layouts: str) -> Callable[[list[Any], int, random.Random], bytes]:
    """Records in one of the versions that the vendor's format has had, a spoilt one's fields over its own."""

    def wrap(rows: list[Any], number: int, chance: random.Random) -> bytes:
        name = chance.choice(layouts)
        most = np.iinfo(dbn.layout(name)["quantity"]).max if name.startswith("Stat") else 2**63
        made = []
        for fields, spoilt in rows:
            if spoilt.get("quantity", 0) > most:
                spoilt = {"quantity": -1}
            made.append(streams.record(name, **{**fields, **spoilt}))
        return streams.stream(*made)

    return wrap


def futures_bar(number: int, place: int) -> tuple[Any, ...]:
    start = bodies.DAY_NS - (number * 40 + place) * 60_000_000_000
    prices = {"open": -37.5, "high": -37.25, "low": -37.75, "close": -37.63}
    return {"ts_event": start, **prices, "volume": 3, "rtype": 33}, {}


def definition(number: int, place: int) -> tuple[Any, ...]:
    fields = {"instrument": number * 40 + place + 1, "raw_symbol": b"ESU5", "ts_recv": bodies.DAY_NS, "asset": b"ES",
              "instrument_class": b"F", "maturity_year": 2025, "maturity_month": 9, "expiration": 2**64 - 1,
              "activation": 0, "min_price_increment": 0.25}  # fmt: skip
    return fields, {}


def statistic_told(number: int, place: int) -> tuple[Any, ...]:
    at = bodies.DAY_NS + (number * 40 + place) * 1_000_000
    return {"ts_event": at, "ts_recv": at, "ts_ref": UTC_DAY_NS, "quantity": 5, "stat_type": 6 + 3 * (place % 2),
            "update_action": 1}, {}  # fmt: skip
