"""What must hold of a landed batch before anyone trusts it: little in quarantine, and a last day like the days before.

Shares and distributions inside the rows are the Great Expectations suite's, keys and identities of marts are dbt's.
"""

from collections import Counter
from typing import Any

import dagster as dg

from pipelines.defs.tables import short
from pipelines.lake.schemas import VENDORS
from pipelines.resources import HomeResource

MOST_SHOWN = 3  # bodies in one line of a check
FEWEST_OF_USUAL = 0.8  # of the median of the sessions before


def _quarantine_check(vendor: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=["facts", vendor],
        name="quarantine_share",
        description="The share of tonight's rows that were refused stays under the limit for a body.",
    )
    def quarantine_share(home: HomeResource) -> dg.AssetCheckResult:
        from pipelines.lake.quarantine import refused_by

        tonight = home.home().read_section("ingest")
        told = tonight["vendors"][vendor]
        limit = home.settings().quarantine.max_bad_share
        seen = told["rows"] + told["rejects"]
        share = told["rejects"] / seen if seen else 0.0
        return dg.AssetCheckResult(
            passed=share <= limit,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"share": short(share), "limit": limit, "refused": told["rejects"], "landed": told["rows"],
                      "quarantine": dg.MetadataValue.asset(dg.AssetKey(["marts", "quarantine"])),
                      **_refused(refused_by(home.home(), tonight["batch"], vendor))},
        )

    return quarantine_share


def _refused(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Why rows were refused, how many, and of which bodies the first were; plain text, which the page shows at once."""
    if not rows:
        return {}
    reasons = Counter(row["reason"] for row in rows)
    first = {row["body_sha256"]: row["path"] for row in rows[::-1]}
    return {"reasons": ", ".join(f"{count} {reason}" for reason, count in reasons.most_common()),
            "bodies": "; ".join(f"{path} ({sha256[:12]})" for sha256, path in list(first.items())[-MOST_SHOWN:]),
            "look": "nightdesk sql \"select * from quarantine order by available_at desc limit 20\""}


def _answered_check(vendor: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=["facts", vendor],
        name="answered",
        description="The vendor gave all that was asked for. What it did not give is asked for again on the next run.",
    )
    def answered(home: HomeResource) -> dg.AssetCheckResult:
        failed = home.home().read_section("ingest").get("failed") or {}
        mine = {what: why for what, why in failed.items() if vendor_of(what) == vendor}
        return dg.AssetCheckResult(
            passed=not mine, severity=dg.AssetCheckSeverity.ERROR,
            metadata={"not_had": len(mine), **{what: why[:600] for what, why in mine.items()}},
        )

    return answered


def vendor_of(what: str) -> str:
    """Whose facts are missing: a vendor may have several places where it is asked."""
    place = what.partition(",")[0]
    return {"flat files": "polygon", "cme_site": "cme"}.get(place, place)


answered_checks = [_answered_check(vendor) for vendor in VENDORS]
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
