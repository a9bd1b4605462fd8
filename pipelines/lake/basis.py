"""Bars of the day of a split that are still on the old prices: set aside before they become facts."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

from pipelines import calendars
from pipelines.home import Home
from pipelines.lake.landing import Landing
from pipelines.literals import every_batch, one_file, text
from pipelines.vendors.contents import TEXT_LIMIT

LEAST_RATIO = 1.5  # below it, a day's own move could be taken for a split
_CLOSE_WITHIN_DAYS = 10

# Each split as it was believed from when to when: a row is held against what was known when it was received, so that
# the same bodies give the same facts in one night or in several.
_SPLITS = """
WITH told AS (
    SELECT vendor_id, ticker, ex_date, split_to / split_from AS ratio, withdrawn, available_at AS known_at, 0 AS place
    FROM read_parquet($held, union_by_name = true)
    {tonight}
), versions AS (
    SELECT *, lead(known_at) OVER (PARTITION BY vendor_id ORDER BY known_at) AS until_at
    FROM (SELECT * FROM told QUALIFY row_number() OVER (PARTITION BY vendor_id, known_at ORDER BY place DESC) = 1)
)
SELECT DISTINCT ticker, ex_date, ratio, known_at, until_at FROM versions
WHERE NOT coalesce(withdrawn, false) AND abs(ln(ratio)) >= ln($least)
"""
_TONIGHT = """UNION ALL
    SELECT vendor_id, ticker, ex_date, split_to / split_from, withdrawn, received_at, 1 + place
    FROM read_parquet($incoming)
"""
# One pull takes a while: a split that came minutes after the prices was known with them.
_KNOWN = """{row}.received_at >= s.known_at - INTERVAL 1 HOUR
    AND (s.until_at IS NULL OR {row}.received_at < s.until_at)"""
# A price is on the old basis where it is nearer to the old one than to the new, on the scale of returns.
_OLD = "({price} > 0 AND abs(ln({price} / {old})) < abs(ln({price} * ratio / {old})))"
_MINUTES = """
SELECT DISTINCT * EXCLUDE (ratio, usual) FROM (
    SELECT m.*, s.ratio, median(m.close) OVER (PARTITION BY m.ticker, m.session, m.path) AS usual
    FROM read_parquet($incoming) AS m JOIN splits AS s ON s.ticker = m.ticker AND s.ex_date = m.session
        AND {known}
) WHERE {old}
"""
_DAYS = """
WITH closes AS (
    SELECT ticker, session, close FROM read_parquet($incoming)
    UNION ALL SELECT ticker, session, close FROM read_parquet($held, union_by_name = true)
), before AS (
    SELECT s.*, arg_max(c.close, c.session) AS close_before
    FROM splits AS s JOIN closes AS c
        ON c.ticker = s.ticker AND c.session < s.ex_date AND c.session >= s.ex_date - $days
    GROUP BY ALL
)
SELECT DISTINCT d.* FROM read_parquet($incoming) AS d
JOIN before AS s ON s.ticker = d.ticker AND s.ex_date = d.session AND {known}
WHERE {old}
"""


def set_aside(home: Home, landing: Landing) -> None:
    """Take such rows out of what is about to be committed, and into quarantine as bad_print."""
    import duckdb

    files = {name: landing.incoming(name) for name in ("equity_bars", "equity_minutes")}
    if not any(files.values()):
        return
    news = landing.incoming("splits")
    given: dict[str, Any] = {"held": every_batch(home.facts, "splits"), "least": LEAST_RATIO}
    given |= {"incoming": one_file(news)} if news else {}
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        known = _SPLITS.format(tonight=_TONIGHT if news else "")
        connection.execute(f"CREATE TEMP TABLE splits AS {known}", given)
        _move_to_sessions(connection)
        for name, file in files.items():
            if file is None or not connection.execute("SELECT count(*) FROM splits").fetchall()[0][0]:
                continue
            given = {"incoming": one_file(file)}
            if name == "equity_bars":
                given |= {"held": every_batch(home.facts, name), "days": _CLOSE_WITHIN_DAYS}
                query = _DAYS.format(known=_KNOWN.format(row="d"), old=_any_price("d", "s.close_before"))
            else:
                query = _MINUTES.format(known=_KNOWN.format(row="m"), old=_any_price("", "(usual * ratio)"))
            bad = connection.sql(query, params=given).to_arrow_table().to_pylist()
            if bad:
                _take_out(connection, file, bad)
                landing.refused += [_reject(name, row) for row in bad]


def _move_to_sessions(connection: Any) -> None:
    """A split of a Saturday is first seen on Monday."""
    for (day,) in connection.execute("SELECT DISTINCT ex_date FROM splits ORDER BY 1").fetchall():
        try:
            seen = calendars.next_sessions(day - dt.timedelta(days=1), 1)[0]
        except (ValueError, OverflowError, IndexError):  # outside what the calendar knows
            continue
        if seen != day:
            connection.execute("UPDATE splits SET ex_date = ? WHERE ex_date = ?", [seen, day])


def _any_price(table: str, old: str) -> str:
    """Whether one of the four prices is nearer to `old`, which is `ratio` times the new one."""
    prefix = f"{table}." if table else ""
    return " OR ".join(_OLD.format(price=prefix + name, old=old) for name in ("open", "high", "low", "close"))


def _take_out(connection: Any, file: Path, bad: list[dict[str, Any]]) -> None:
    rows = ", ".join(f"({row['place']}, {row['row_index']})" for row in bad)
    rest = file.with_suffix(".rest")
    connection.execute(
        f"COPY (SELECT * FROM read_parquet({text(one_file(file))}) WHERE (place, row_index) NOT IN ({rows})) "
        f"TO {text(rest)} (FORMAT parquet)"
    )
    rest.replace(file)


def _reject(dataset: str, row: dict[str, Any]) -> dict[str, Any]:
    told = {name: row[name] for name in ("ticker", "session", "open", "high", "low", "close", "volume")}
    return {
        "vendor": "polygon", "dataset": dataset, "path": row["path"], "row_index": row["row_index"],
        "row_text": json.dumps(told, default=str)[:TEXT_LIMIT], "reason": "bad_print",
        "body_sha256": row["body_sha256"], "received_at": row["received_at"],
    }  # fmt: skip
