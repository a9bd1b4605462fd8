"""What must hold of a landed batch before anyone trusts it: little in quarantine, and a last day like the days before.

Shares and distributions inside the rows are the Great Expectations suite's, keys and identities of marts are dbt's.
"""

from typing import Any

import dagster as dg

from pipelines.lake.schemas import VENDORS
from pipelines.resources import HomeResource

FEWEST_OF_USUAL = 0.8  # of the median of the sessions before


def _quarantine_check(vendor: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=["facts", vendor],
        name="quarantine_share",
        description="The share of tonight's rows that were refused stays under the limit for a body.",
    )
    def quarantine_share(home: HomeResource) -> dg.AssetCheckResult:
        told = home.home().read_section("ingest")["vendors"][vendor]
        limit = home.settings().quarantine.max_bad_share
        seen = told["rows"] + told["rejects"]
        share = told["rejects"] / seen if seen else 0.0
        return dg.AssetCheckResult(
            passed=share <= limit,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"share": share, "limit": limit, "refused": told["rejects"], "landed": told["rows"]},
        )

    return quarantine_share


quarantine_checks = [_quarantine_check(vendor) for vendor in VENDORS]


@dg.asset_check(
    asset=["facts", "polygon"],
    description=f"The newest session has at least {FEWEST_OF_USUAL:.0%} of the usual number of names.",
)
def newest_session_is_whole(home: HomeResource) -> dg.AssetCheckResult:
    import statistics

    from pipelines.lake.facts import names_per_session

    counts = names_per_session(home.home(), last=21)
    usual = statistics.median(count for _, count in counts[:-1]) if len(counts) > 1 else 0
    metadata: dict[str, Any] = {"sessions": len(counts), "usual_names": float(usual)}
    if counts:
        metadata |= {"newest_session": str(counts[-1][0]), "names": counts[-1][1]}
    return dg.AssetCheckResult(
        passed=not counts or counts[-1][1] >= FEWEST_OF_USUAL * usual,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )
