"""One Great Expectations suite over the landed equity bars; nothing is built on bars that do not look like a market."""

from typing import Any

import dagster as dg

from pipelines.resources import HomeResource


@dg.asset_check(
    asset=["facts", "polygon"],
    name="equity_bars_look_like_a_market",
    blocking=True,
    description="Great Expectations on the newest 60 sessions of landed daily bars: nothing missing, prices in range, "
    "high over low, few silent names, sessions of the usual width.",
)
def equity_bars_look_like_a_market(home: HomeResource) -> dg.AssetCheckResult:
    from pipelines.lake import expectations

    told = expectations.of_equity_bars(home.home())
    metadata: dict[str, Any] = {
        "rows": told["rows"], "sessions": told["sessions"],
        "failed": ", ".join(told["failed"]) or "none",
        "expectations": dg.MetadataValue.md(expectations.as_markdown(told)),
    }  # fmt: skip
    return dg.AssetCheckResult(passed=not told["failed"], metadata=metadata)
