"""The exchange's own page of volume and open interest by contract month: preliminary at night, final next morning."""

import datetime as dt
import json
from collections.abc import Iterator

from pipelines.sandbox.databento_wire import session_trades
from pipelines.sandbox.futures import CHICAGO, Contract, contracts_on, tick_sessions
from pipelines.sandbox.market import Market

_MONTHS = "JAN FEB MAR APR MAY JUN JLY AUG SEP OCT NOV DEC".split()
_PRELIMINARY, _FINAL = dt.time(21), dt.time(10)  # Chicago: of the trade date's evening, and of the morning after it
_HELD = 400  # contracts held for each traded by the session's end


def cleared(market: Market, number: int, root: str) -> Iterator[tuple[Contract, int, int]]:
    """Volume and open interest of each contract of a session, the nearest first."""
    session = market.sessions[number]
    trades = session_trades(market, number, root)
    for contract in sorted(contracts_on(session, root), key=lambda contract: contract.expiry):
        mine = trades["size"][trades["instrument_id"] == contract.instrument_id]
        yield contract, int(mine.sum()), _HELD * len(mine) + contract.instrument_id % 1_000 + 13 * number % 997


def details_body(market: Market, session: dt.date, root: str, kind: str, now: dt.datetime) -> bytes:
    """Numbers are text with commas, as the vendor has them. Before its time a report is empty; the preliminary one, of
    which clearing is not done, tells no open interest."""
    number = market.index_of.get(session, -1)
    morning = session + dt.timedelta(days=3 if session.weekday() == 4 else 1)
    published = dt.datetime.combine(*((session, _PRELIMINARY) if kind == "P" else (morning, _FINAL)), tzinfo=CHICAGO)
    months = []
    if number in tick_sessions(market) and published <= now:
        for contract, volume, held in cleared(market, number, root):
            interest = f"{held:,}"
            name = f"{_MONTHS[contract.expiry.month - 1]} {contract.expiry.year}"
            months.append({
                "month": name, "monthID": f"{name.replace(' ', '-')}-Calls", "globex": f"{volume:,}",
                "openOutcry": "0", "totalVolume": f"{volume:,}", "blockVolume": "0",
                "atClose": interest if kind == "F" else "-", "change": "-",
            })  # fmt: skip
    body = {"tradeDate": f"{session:%Y%m%d}", "monthData": months, "empty": not months}
    if months:
        body["updateTime"] = published.isoformat()
    return json.dumps(body).encode()
