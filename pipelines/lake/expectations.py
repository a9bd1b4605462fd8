"""Shares and distributions of what was landed, by Great Expectations; each verdict is kept beside its input.

Whether one row has its shape is the parser's question and was answered before; keys and identities are dbt's.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines import durable
from pipelines.digest import json_digest, table_digest
from pipelines.home import Home
from pipelines.literals import every_batch

SESSIONS = 60
SUITE_VERSION = 4
MOSTLY_TRADED = 0.98  # share of bars with volume
WIDTH = (0.7, 1.4)  # names of a session over the median session
NARROW = 20  # names; below, one that starts or ends is no hole in the data
WIDEST_BAR = 3.0  # high over low
TYPICAL_STEP = (0.5, 2.0)  # median over the names of close over the close before: a whole file in cents, or ten times
CALLS = (0.3, 0.7)  # of a chain's contracts: an exchange lists both sides of a strike
FROM_MIDDLE = (0.75, 1.33)  # a trade over the median of its contract's session: limits stop the market before
_PRICES = ("open", "high", "low", "close")

_BARS = """
with bars as (
    select * from read_parquet($files)
    qualify row_number() over (partition by ticker, session, source order by available_at desc) = 1
),
recent as (
    select * from bars
    where session in (select distinct session from bars order by session desc limit $sessions)
),
steps as (
    select ticker, session, source, close / lag(close) over (partition by ticker, source order by session) as step
    from recent
),
typical as (
    select session, case when count(step) < $narrow then 1.0 else median(step) end as typical_step
    from steps group by session
),
widths as (select session, count(distinct ticker) as names from recent group by session)
select ticker, session, open, high, low, close, volume, high / low as high_over_low,
    least(open, close) - low as above_low, high - greatest(open, close) as below_high,
    case when median < $narrow then 1.0 else names / median end as width, typical_step
from recent join widths using (session) join typical using (session), (select median(names) as median from widths)
order by session, ticker, source
"""

_CHAINS = """
with recent as (
    select * from read_parquet($files)
    where session in (select distinct session from read_parquet($files) order by session desc limit 5)
    qualify row_number() over (partition by snapshot, contract order by available_at desc) = 1
)
select underlying, session, contract, strike, expiry, ask - bid as spread, iv,
    avg(("right" = 'C')::integer) over (partition by underlying, snapshot) as calls
from recent order by snapshot, contract
"""

_TRADES = """
with recent as (
    select * from read_parquet($files)
    where not contains(symbol, '-')
        and session in (select distinct session from read_parquet($files) order by session desc limit 5)
    qualify row_number() over (partition by symbol, ts_event, sequence, print_no order by available_at desc) = 1
)
select symbol, session, ts_event, price, size, side,
    price / median(price) over (partition by symbol, session) as from_middle
from recent order by symbol, ts_event, sequence, print_no
"""


def _of_bars(gxe: Any) -> list[Any]:
    between = gxe.ExpectColumnValuesToBeBetween
    return [
        *(gxe.ExpectColumnValuesToNotBeNull(column=one) for one in ("ticker", "session", *_PRICES, "volume")),
        *(between(column=column, min_value=0.0001, max_value=1_000_000) for column in _PRICES),
        *(between(column=column, min_value=0) for column in ("above_low", "below_high")),
        between(column="volume", min_value=1, mostly=MOSTLY_TRADED),
        between(column="high_over_low", min_value=1, max_value=WIDEST_BAR, mostly=0.999),
        between(column="width", min_value=WIDTH[0], max_value=WIDTH[1]),
        between(column="typical_step", min_value=TYPICAL_STEP[0], max_value=TYPICAL_STEP[1]),
    ]


def _of_chains(gxe: Any) -> list[Any]:
    between = gxe.ExpectColumnValuesToBeBetween
    return [
        *(gxe.ExpectColumnValuesToNotBeNull(column=one) for one in ("underlying", "contract", "strike", "expiry")),
        between(column="strike", min_value=0.01, max_value=1_000_000),
        between(column="spread", min_value=0, mostly=0.98),
        between(column="iv", min_value=0.001, max_value=10, mostly=0.98),
        between(column="calls", min_value=CALLS[0], max_value=CALLS[1]),
    ]


def _of_trades(gxe: Any) -> list[Any]:
    between = gxe.ExpectColumnValuesToBeBetween
    return [
        *(gxe.ExpectColumnValuesToNotBeNull(column=one) for one in ("symbol", "ts_event", "price", "size", "side")),
        gxe.ExpectColumnValuesToBeInSet(column="side", value_set=["A", "B", "N"]),
        between(column="size", min_value=1, max_value=100_000),
        between(column="from_middle", min_value=FROM_MIDDLE[0], max_value=FROM_MIDDLE[1], mostly=0.999),
    ]


@dataclass(frozen=True)
class Suite:
    """What is expected of one dataset's newest rows, whose landing its vendor's check waits for."""

    dataset: str
    title: str
    query: str
    key: tuple[str, ...]
    given: dict[str, int]
    expected: Callable[[Any], list[Any]]


SUITES = {
    one.dataset: one
    for one in (
        Suite("equity_bars", "Landed day bars", _BARS, ("session", "ticker"), {"sessions": SESSIONS, "narrow": NARROW},
              _of_bars),
        Suite("option_chain", "Landed option chains", _CHAINS, ("session", "contract"), {}, _of_chains),
        Suite("futures_trades", "Landed futures trades", _TRADES, ("symbol", "ts_event"), {}, _of_trades),
    )
}  # fmt: skip


def docs(home: Home, dataset: str) -> Path:
    """Where the verdict's page lies."""
    return home.reports / "expectations" / f"{dataset}.html"


def of(home: Home, dataset: str) -> dict[str, Any]:
    """The suite's verdict on the newest sessions; asked again only where they changed (the library takes seconds)."""
    import duckdb

    suite = SUITES[dataset]
    with duckdb.connect(config={"threads": 1}) as connection:
        files = every_batch(home.facts, dataset)
        rows = connection.sql(suite.query, params={"files": files, **suite.given}).to_arrow_table()
    digest = json_digest([SUITE_VERSION, table_digest(rows, list(suite.key))])
    kept, page = home.work / "expectations" / f"{dataset}.json", docs(home, dataset)
    if kept.exists() and page.exists():
        told: dict[str, Any] = json.loads(kept.read_text())
        if told["input"] == digest:
            return told
    verdict, shown = _validate(rows, suite) if rows.num_rows else ({"results": [], "failed": []}, "")
    told = {"input": digest, "rows": rows.num_rows, "sessions": len(rows.column("session").unique()), **verdict}
    if shown:
        durable.write_atomic(page, shown.encode())
    durable.write_json(kept, told)
    return told


def _validate(rows: Any, suite: Suite) -> tuple[dict[str, Any], str]:
    """The verdict in our words, and its page."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx
    import great_expectations.expectations as gxe
    from great_expectations.data_context.types.base import ProgressBarsConfig

    from pipelines.lake import data_docs

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = context.data_sources.add_pandas("landed")
    definition = source.add_dataframe_asset(suite.dataset).add_batch_definition_whole_dataframe("newest")
    batch = definition.get_batch(batch_parameters={"dataframe": rows.to_pandas()})
    wanted = gx.ExpectationSuite(suite.dataset, expectations=suite.expected(gxe))
    found = batch.validate(wanted, result_format="SUMMARY")
    results = [
        {
            "expectation": f"{one.expectation_config.type} {one.expectation_config.kwargs.get('column', '')}".strip(),
            "passed": bool(one.success),
            "unexpected": int(one.result.get("unexpected_count") or 0),
            "examples": [str(value) for value in one.result.get("partial_unexpected_list") or []][:5],
        }
        for one in found.results
    ]
    verdict = {"results": results, "failed": [one["expectation"] for one in results if not one["passed"]]}
    return verdict, data_docs.page(found, suite.title)


def as_markdown(told: dict[str, Any]) -> str:
    """The verdict as a table for the check's page."""
    lines = ["| expectation | holds | rows against it | for example |", "|---|---|---:|---|"]
    for one in told["results"]:
        holds, examples = "yes" if one["passed"] else "NO", ", ".join(one["examples"])
        lines.append(f"| {one['expectation']} | {holds} | {one['unexpected']} | {examples} |")
    return "\n".join(lines)
