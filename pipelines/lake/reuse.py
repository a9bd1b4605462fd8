"""Companies that a list names under one ticker, one after another: the next begins when the one before is gone.

A list says no first day, so that all of them would be taken to have been there since the vendor's history starts, and
the first of them to be whoever has the smaller id. Who is told of by changes of ticker needs no guess.
"""

from typing import Any

from pipelines.home import Home
from pipelines.lake.landing import Landing
from pipelines.literals import every_batch, one_file, text

_COMPANY = "coalesce(nullif(composite_figi, ''), nullif(cik, ''), '')"
_LATER = f"""
CREATE TEMP TABLE later AS
WITH told AS (
    SELECT ticker, {_COMPANY} AS company, CASE WHEN NOT bool_or(active) THEN max(delisted_utc) END AS gone
    FROM read_parquet($incoming) WHERE NOT opening GROUP BY ALL
), held AS (
    SELECT ticker, {_COMPANY} AS company, arg_max(delisted_utc, available_at) AS gone
    FROM read_parquet($held, union_by_name = true) GROUP BY ALL
), dead AS (
    SELECT * FROM told WHERE gone IS NOT NULL UNION SELECT * FROM held WHERE gone IS NOT NULL
), changed AS (
    SELECT {_COMPANY} AS company FROM read_parquet($held_events, union_by_name = true)
    {{tonight}}
)
SELECT told.ticker, told.company, timezone('America/New_York', (max(dead.gone) + 1)::TIMESTAMP) AS since
FROM told JOIN dead ON dead.ticker = told.ticker AND dead.company <> told.company
    AND (told.gone IS NULL OR dead.gone < told.gone)
WHERE (told.ticker, told.company) NOT IN (SELECT (ticker, company) FROM held)
    AND told.company NOT IN (SELECT company FROM changed)
GROUP BY ALL
"""
_MOVED = f"""
SELECT i.* REPLACE (
    greatest(i.modelled_at, later.since) AS modelled_at,
    CASE WHEN i.received_at = i.modelled_at THEN greatest(i.received_at, later.since) ELSE i.received_at END
        AS received_at
) FROM read_parquet({{file}}) AS i LEFT JOIN later ON later.ticker = i.ticker AND later.company = {_COMPANY}
ORDER BY i.place, i.row_index, i.opening
"""


def begin_after_the_dead(home: Home, landing: Landing) -> None:
    """Of one ticker's companies that are new to the lake, take each to be listed from the midnight after the last."""
    import duckdb

    file, events = landing.incoming("tickers"), landing.incoming("ticker_events")
    if file is None:
        return
    given: dict[str, Any] = {"incoming": one_file(file), "held": every_batch(home.facts, "tickers"),
                             "held_events": every_batch(home.facts, "ticker_events")}  # fmt: skip
    tonight = f"UNION SELECT {_COMPANY} FROM read_parquet($events)" if events else ""
    given |= {"events": one_file(events)} if events else {}
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(_LATER.format(tonight=tonight), given)
        if connection.execute("SELECT count(*) FROM later").fetchall()[0][0]:
            rest = file.with_suffix(".rest")
            moved = _MOVED.format(file=text(one_file(file)))
            connection.execute(f"COPY ({moved}) TO {text(rest)} (FORMAT parquet)")
            rest.replace(file)
