"""Great Expectations over what was landed: nothing is built on bars, chains or trades that look like no market. And
what the exchange's calendar says should be there and is not, which is told and stops nothing.
"""

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


@dg.asset_check(
    asset=["marts", "daily_bars"],
    name="nothing_is_missing_by_the_calendar",
    description="Sessions, names and minutes of a session that the exchange's calendar says should be there, in bars, "
                "chains, levels and trades. Holidays, early closes and halts are no gap. It only warns.",
)
def nothing_is_missing(home: HomeResource) -> dg.AssetCheckResult:
    from pipelines.lake import completeness

    told = home.home().read_section("completeness") or completeness.told([])
    lines = ["| {session} | {mart} | {subject} | {missing} of {expected} {kind} | {named} |".format(**gap)
             for gap in told["newest"]]  # fmt: skip
    missing = ", ".join(f"{count} of {name}" for name, count in told["missing"].items())
    metadata: dict[str, Any] = {"gaps": told["gaps"], "missing": missing or "nothing"}
    if lines:
        head = ["| session | mart | of | missing | which |", "|---|---|---|---|---|"]
        metadata["newest"] = dg.MetadataValue.md("\n".join([*head, *lines]))
    return dg.AssetCheckResult(passed=not told["gaps"], severity=dg.AssetCheckSeverity.WARN, metadata=metadata)
