"""Great Expectations over what was landed: nothing is built on bars, chains or trades that look like no market."""

from typing import Any

import dagster as dg

from pipelines.resources import HomeResource

_LOOKED_AT = {
    "equity_bars": ("polygon", "the newest 60 sessions of day bars: nothing missing, prices in range, high over low, "
                               "few silent names, sessions of the usual width"),
    "option_chain": ("cboe", "the chains of the newest five sessions: nothing missing, both sides listed, few crossed "
                             "quotes, volatilities in range"),
    "futures_trades": ("cme", "the trades of the newest five sessions: nothing missing, sides known, prices near their "
                              "session's middle"),
}  # fmt: skip


def _check(dataset: str, vendor: str, said: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=["facts", vendor], name=f"{dataset}_look_like_a_market", blocking=True,
        description=f"Great Expectations on {said}. Its page opens from the metadata, without any network.",
    )  # fmt: skip
    def look_like_a_market(home: HomeResource) -> dg.AssetCheckResult:
        from pipelines.lake import expectations

        told = expectations.of(home.home(), dataset)
        metadata: dict[str, Any] = {
            "rows": told["rows"], "sessions": told["sessions"],
            "failed": ", ".join(told["failed"]) or "none",
            "expectations": dg.MetadataValue.md(expectations.as_markdown(told)),
        }  # fmt: skip
        if told["rows"]:
            metadata["data_docs"] = dg.MetadataValue.path(str(expectations.docs(home.home(), dataset)))
        return dg.AssetCheckResult(passed=not told["failed"], metadata=metadata)

    return look_like_a_market


expectation_checks = [_check(dataset, vendor, said) for dataset, (vendor, said) in _LOOKED_AT.items()]
