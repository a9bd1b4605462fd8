"""Databento's other answers: what the contracts are, each day anew, and what was cleared, the morning after."""

import datetime as dt
from typing import Any

import numpy as np

from models.market.contracts import ends_at
from pipelines.lake.sessions import is_closed
from pipelines.sandbox import cme_wire
from pipelines.sandbox.databento_wire import packed
from pipelines.sandbox.futures import CHICAGO, TICK, Contract, contracts_on, nanoseconds, tick_sessions
from pipelines.sandbox.market import Market

_MULTIPLIER = {"ES": 50, "NQ": 20}
_NONE_32, _NONE_64 = 2**31 - 1, 2**63 - 1
_CLEARED = dt.time(10, 30)  # Chicago, of the morning after a trade date: after the exchange's own final report
_VOLUME, _OPEN_INTEREST = 6, 9


def body(market: Market, schema: str, start: dt.datetime, end: dt.datetime, root: str) -> bytes:
    """What was told in [start, end)."""
    when, make = {"definition": (_midnight, _definitions), "statistics": (_morning, _statistics)}[schema]
    records, instruments = bytearray(), dict[str, Contract]()
    for number in tick_sessions(market):
        told_at = when(market.sessions[number])
        if start <= told_at < end:
            for contract, fields in make(market, number, root):
                instruments[contract.symbol] = contract
                records += _record(schema, contract, nanoseconds(told_at), fields)
    return packed(schema, start, end, root, instruments, bytes(records))


Rows = list[tuple[Contract, dict[str, Any]]]


def _midnight(session: dt.date) -> dt.datetime:
    return dt.datetime.combine(session, dt.time(), tzinfo=dt.UTC)


def _morning(session: dt.date) -> dt.datetime:
    following = session + dt.timedelta(days=3 if session.weekday() == 4 else 1)
    return dt.datetime.combine(following, _CLEARED, tzinfo=CHICAGO).astimezone(dt.UTC)


def _definitions(market: Market, number: int, root: str) -> Rows:
    """At each midnight of UTC the vendor repeats all that is listed."""
    session = market.sessions[number]
    rows: Rows = []
    for contract in contracts_on(session, root):
        expiry = ends_at(root, contract.expiry.year, contract.expiry.month, is_closed)
        assert expiry is not None
        rows.append((contract, {
            "raw_symbol": contract.symbol.encode(), "asset": root.encode(), "exchange": b"XCME", "currency": b"USD",
            "instrument_class": b"F", "security_type": b"FUT", "security_update_action": b"A",
            "expiration": nanoseconds(expiry), "activation": nanoseconds(expiry - dt.timedelta(days=5 * 365)),
            "min_price_increment": int(TICK * 10**9), "unit_of_measure": b"IPNT",
            "unit_of_measure_qty": _MULTIPLIER[root] * 10**9, "contract_multiplier": _NONE_32,
            "maturity_year": contract.expiry.year, "maturity_month": contract.expiry.month,
        }))  # fmt: skip
    return rows


def _statistics(market: Market, number: int, root: str) -> Rows:
    of = nanoseconds(_midnight(market.sessions[number]))
    rows: Rows = []
    for contract, volume, interest in cme_wire.cleared(market, number, root):
        for kind, quantity in ((_OPEN_INTEREST, interest), (_VOLUME, volume)):
            rows.append((contract, {"ts_ref": of, "price": _NONE_64, "quantity": quantity, "stat_type": kind,
                                    "sequence": len(rows) + 1, "update_action": 1}))  # fmt: skip
    return rows


def _record(schema: str, contract: Contract, told_ns: int, fields: dict[str, Any]) -> bytes:
    import databento_dbn as dbn

    message, kind = {"definition": (dbn.InstrumentDefMsg, 19), "statistics": (dbn.StatMsg, 24)}[schema]
    record = np.zeros(1, np.dtype(message._dtypes))
    told = {"length": record.itemsize // 4, "rtype": kind, "publisher_id": 1, "instrument_id": contract.instrument_id,
            "ts_event": told_ns, "ts_recv": told_ns, **fields}  # fmt: skip
    for name, value in told.items():
        record[name] = value
    return record.tobytes()
