"""When a future's front contract changes: the month that led in volume or open interest in the session before.

It never rolls back, a session without volume is no evidence, and a corrected report changes only what it led to.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from models.market.clearing import REPORT, as_reports

RULES = ("volume", "open_interest")
_TRUST = ("final", "preliminary", REPORT)
_CHICAGO = ZoneInfo("America/Chicago")
_INSTANT = pa.timestamp("us", tz="UTC")

SCHEMA = pa.schema([
    ("instrument_id", pa.string()), ("root", pa.string()), ("rule", pa.string()), ("session", pa.date32()),
    ("symbol", pa.string()), ("contract_month", pa.string()), ("evidence_session", pa.date32()),
    ("event_time", _INSTANT), ("available_at", _INSTANT), ("ingested_at", _INSTANT),
])  # fmt: skip

Contract = tuple[str, str]  # month as YYYY-MM, symbol
Reports = dict[dt.date, list[dict[str, Any]]]
Change = tuple[dt.datetime, dt.date, Contract | None, dt.datetime]  # when, of which session, who led, when ingested


def leader(rows: Sequence[dict[str, Any]], rule: str) -> Contract | None:
    """The contract of most volume or open interest, the nearer of two equal ones; None where nothing traded."""
    volumes = [row["volume"] for row in rows if row["volume"] is not None]
    fed = all(row["report"] == REPORT for row in rows)  # its numbers come one by one: what was not told is not zero
    if not sum(volumes) and (volumes or not fed):
        return None
    held = [row for row in rows if (row[rule] or 0.0) > 0.0]
    best = min(held, key=lambda row: (-row[rule], row["contract_month"]), default=None)
    return (best["contract_month"], best["symbol"]) if best else None


def _told(rows: Sequence[dict[str, Any]], rule: str) -> list[tuple[dt.datetime, list[dict[str, Any]]]]:
    """One session's report as it stood at each moment at which something new came: final over preliminary, and both
    over what the exchange's feed told."""
    stood = []
    for moment in sorted({row["available_at"] for row in rows}):
        known: dict[tuple[str, str], dict[str, Any]] = {}
        for row in sorted(rows, key=lambda row: row["available_at"]):
            if row["available_at"] <= moment:
                known[row["report"], row["symbol"]] = row
        kinds = {report for report, _ in known}
        # A preliminary report tells no open interest: of that the feed still speaks.
        telling = {report for (report, _), row in known.items() if row[rule] is not None}
        kind = min(telling if REPORT in telling else kinds, key=_TRUST.index)
        stood.append((moment, [row for (report, _), row in known.items() if report == kind]))
    return stood


def fronts(
    evidence: Sequence[tuple[dt.date, Contract]], days: Sequence[dt.date]
) -> dict[dt.date, tuple[Contract, dt.date]]:
    """Front contract of each session after the first evidence, with the session whose report spoke last."""
    found: dict[dt.date, tuple[Contract, dt.date]] = {}
    if not evidence:
        return found
    ordered = sorted(evidence)
    first, last = ordered[0][0], ordered[-1][0]
    traded = {day for day, _ in ordered}
    coming = [day for day in days if day > last][:1]
    front: Contract | None = None
    at = 0
    for day in sorted({day for day in days if first < day <= last} | (traded - {first}) | set(coming)):
        while at < len(ordered) and ordered[at][0] < day:
            candidate = ordered[at][1]
            if front is None or candidate[0] > front[0]:
                front = candidate
            at += 1
        if front is not None:
            found[day] = front, ordered[at - 1][0]
    return found


def _ends(session: dt.date) -> dt.datetime:
    return dt.datetime.combine(session, dt.time(17), tzinfo=_CHICAGO).astimezone(dt.UTC)


def _led(reports: Reports, rule: str) -> list[Change]:
    """Who led in each session, and each time that a correction changed it."""
    changes: list[Change] = []
    for session, rows in reports.items():
        led: Contract | None = None
        for number, (moment, standing) in enumerate(_told(rows, rule)):
            now = leader(standing, rule)
            if number == 0 or now != led:
                changes.append((moment, session, now, max(row["ingested_at"] for row in standing)))
                led = now
    return changes


def _versions(root: str, rule: str, reports: Reports, days: Sequence[dt.date]) -> list[dict[str, Any]]:
    """Every version of one calendar. All is worked out once from first reports, again only where a leader changed."""
    changes = _led(reports, rule)
    first: dict[dt.date, Change] = {}
    later = []
    for change in sorted(changes, key=lambda one: (one[0], one[1])):
        if change[1] in first:
            later.append(change)
        else:
            first[change[1]] = change
    evidence = {session: change[2] for session, change in first.items()}
    out_at: dict[dt.date, dt.datetime] = {}
    newest: dt.datetime | None = None
    for session in sorted(first):  # a report that came late holds back what follows from it
        newest = first[session][0] if newest is None else max(newest, first[session][0])
        out_at[session] = newest
    following = {session: next((day for day in days if day > session), None) for session in first}
    told: dict[dt.date, tuple[Contract, dt.date]] = {}
    rows_out: list[dict[str, Any]] = []

    def tell(moment: dt.datetime | None, ingested: dt.datetime | None) -> None:
        believed = fronts([(day, one) for day, one in evidence.items() if one is not None], days)
        for day, (front, by) in believed.items():
            if told.get(day, (None,))[0] == front:
                continue
            known_at = out_at[by] if moment is None else max(moment, out_at[by])
            if day != following.get(by):
                # No calendar foretold this one after that report: it is known by the next report from it on.
                known_at = max(known_at, out_at[next(one for one in sorted(first) if one >= day)])
            rows_out.append({
                "instrument_id": f"CME:{front[1]}:{front[0][:4]}", "root": root, "rule": rule, "session": day,
                "symbol": front[1], "contract_month": front[0], "evidence_session": by, "event_time": _ends(by),
                "available_at": known_at, "ingested_at": ingested or first[by][3],
            })  # fmt: skip
            told[day] = front, by

    tell(None, None)
    for moment, session, now, ingested in later:
        evidence[session] = now
        tell(moment, ingested)
    return rows_out


def roll_versions(details: pa.Table, days: Sequence[dt.date], statistics: pa.Table | None = None) -> pa.Table:
    """The calendar of every root by both rules; `days` are the exchange's sessions around the reports. `statistics` of
    its feed speak where no report does."""
    reports: dict[str, dict[dt.date, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for row in [*details.to_pylist(), *(as_reports(statistics) if statistics is not None else ())]:
        reports[row["root"]][row["session"]].append(row)
    unique = {
        (root, rule, row["session"], row["available_at"]): row
        for root, told in sorted(reports.items())
        for rule in RULES
        for row in _versions(root, rule, told, days)
    }
    return pa.Table.from_pylist(list(unique.values()), schema=SCHEMA).sort_by(
        [(name, "ascending") for name in ("root", "rule", "session", "available_at")]
    )
