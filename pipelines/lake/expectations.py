"""Shares and distributions of the landed equity bars, by Great Expectations; the verdict is kept beside its input.

Whether one row has its shape is the parser's question and was answered before; keys and identities are dbt's.
"""

import json
import os
from typing import Any

from pipelines import durable
from pipelines.digest import json_digest, table_digest
from pipelines.home import Home

SESSIONS = 60
SUITE_VERSION = 3
MOSTLY_TRADED = 0.98  # share of bars with volume
WIDTH = (0.7, 1.4)  # names of a session over the median session
NARROW = 20  # names; below, one that starts or ends is no hole in the data
WIDEST_BAR = 3.0  # high over low
TYPICAL_STEP = (0.5, 2.0)  # median over the names of close over the close before: a whole file in cents, or ten times
_PRICES = ("open", "high", "low", "close")
_WHOLE = ("ticker", "session", *_PRICES, "volume")

_QUERY = """
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


def of_equity_bars(home: Home) -> dict[str, Any]:
    """The suite's verdict on the newest sessions; asked again only where they changed (the library takes seconds)."""
    import duckdb

    with duckdb.connect(config={"threads": 1}) as connection:
        files = str(home.facts / "batch-*" / "equity_bars.parquet")
        given = {"files": files, "sessions": SESSIONS, "narrow": NARROW}
        bars = connection.sql(_QUERY, params=given).to_arrow_table()
    digest = json_digest([SUITE_VERSION, table_digest(bars, ["session", "ticker"])])
    kept = home.work / "expectations" / "equity_bars.json"
    if kept.exists():
        told: dict[str, Any] = json.loads(kept.read_text())
        if told["input"] == digest:
            return told
    told = {"input": digest, "rows": bars.num_rows, "sessions": len(bars.column("session").unique()), **_validate(bars)}
    durable.write_json(kept, told)
    return told


def _validate(bars: Any) -> dict[str, Any]:
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx
    import great_expectations.expectations as gxe
    from great_expectations.data_context.types.base import ProgressBarsConfig

    between = gxe.ExpectColumnValuesToBeBetween
    expectations = [
        *(gxe.ExpectColumnValuesToNotBeNull(column=column) for column in _WHOLE),
        *(between(column=column, min_value=0.0001, max_value=1_000_000) for column in _PRICES),
        *(between(column=column, min_value=0) for column in ("above_low", "below_high")),
        between(column="volume", min_value=1, mostly=MOSTLY_TRADED),
        between(column="high_over_low", min_value=1, max_value=WIDEST_BAR, mostly=0.999),
        between(column="width", min_value=WIDTH[0], max_value=WIDTH[1]),
        between(column="typical_step", min_value=TYPICAL_STEP[0], max_value=TYPICAL_STEP[1]),
    ]
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = context.data_sources.add_pandas("landed")
    definition = source.add_dataframe_asset("equity_bars").add_batch_definition_whole_dataframe("newest")
    batch = definition.get_batch(batch_parameters={"dataframe": bars.to_pandas()})
    found = batch.validate(gx.ExpectationSuite("equity_bars", expectations=expectations), result_format="SUMMARY")
    results = [
        {
            "expectation": f"{one.expectation_config.type} {one.expectation_config.kwargs.get('column', '')}".strip(),
            "passed": bool(one.success),
            "unexpected": int(one.result.get("unexpected_count") or 0),
            "examples": [str(value) for value in one.result.get("partial_unexpected_list") or []][:5],
        }
        for one in found.results
    ]
    return {"results": results, "failed": [one["expectation"] for one in results if not one["passed"]]}


def as_markdown(told: dict[str, Any]) -> str:
    """The verdict as a table for the check's page."""
    lines = ["| expectation | holds | rows against it | for example |", "|---|---|---:|---|"]
    for one in told["results"]:
        holds, examples = "yes" if one["passed"] else "NO", ", ".join(one["examples"])
        lines.append(f"| {one['expectation']} | {holds} | {one['unexpected']} | {examples} |")
    return "\n".join(lines)
