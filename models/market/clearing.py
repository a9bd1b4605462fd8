"""Volume and open interest as the exchange's feed told them, number by number, put together as reports of a session.

A report counts from the end of the hour in which its numbers came: those of one session come within seconds, contract
by contract, and half of them would name a front that never was.
"""

import datetime as dt
from collections import defaultdict
from typing import Any

import pyarrow as pa

from models.market.contracts import month_meant

REPORT = "statistics"
_HOUR = dt.timedelta(hours=1)


def _end_of_hour(moment: dt.datetime) -> dt.datetime:
    whole = moment.replace(minute=0, second=0, microsecond=0)
    return whole if whole == moment else whole + _HOUR


def _order(telling: dict[str, Any]) -> tuple[dt.datetime, int]:
    return telling["told_at"], telling["sequence"]


def as_reports(statistics: pa.Table) -> list[dict[str, Any]]:
    """Rows like those of the exchange's own reports: each contract's session as it stood whenever more was told."""
    told = sorted(statistics.to_pylist(), key=lambda row: (row["available_at"], row["told_at"], row["sequence"]))
    stood: dict[tuple[str, dt.date], dict[str, tuple[Any, float | None]]] = defaultdict(dict)
    rows: dict[tuple[str, dt.date, dt.datetime], dict[str, Any]] = {}
    for one in told:
        symbol, session, name = one["symbol"], one["session"], one["statistic"]
        meant, moment, order = month_meant(symbol, session), _end_of_hour(one["available_at"]), _order(one)
        standing = stood[symbol, session]
        if meant is None or (name in standing and standing[name][0] > order):  # what comes late may be of long ago
            continue
        standing[name] = order, one["quantity"]
        rows[symbol, session, moment] = {
            "root": meant[0], "session": session, "symbol": symbol, "contract_month": f"{meant[1]}-{meant[2]:02d}",
            "report": REPORT, **{each: standing.get(each, (None, None))[1] for each in ("volume", "open_interest")},
            "available_at": moment, "ingested_at": one["ingested_at"],
        }  # fmt: skip
    return list(rows.values())
