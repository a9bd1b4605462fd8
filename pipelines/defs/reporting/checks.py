"""The page is whole, and needs nothing from outside. A report that is not stops no one: severity WARN."""

import dagster as dg

from pipelines.resources import HomeResource

MOST_BYTES = 500_000
WARN = dg.AssetCheckSeverity.WARN
REPORT = dg.AssetKey(["reporting", "nightly_report"])


@dg.asset_check(asset=REPORT, description="Every chapter was written tonight and could be drawn.")
def every_chapter_is_told(home: HomeResource) -> dg.AssetCheckResult:
    from pipelines import report

    untold = report.untold(report.tell(home.home(), home.settings(), home.now()))
    return dg.AssetCheckResult(passed=not untold, severity=WARN, metadata={"missing": ", ".join(untold) or "nothing"})


@dg.asset_check(asset=REPORT, description="One small file: no script, no address elsewhere.")
def page_stands_alone(home: HomeResource) -> dg.AssetCheckResult:
    from pipelines import report

    page = report.latest(home.home())
    text = page.read_text() if page else ""
    alone = bool(text) and not any(sign in text for sign in ("<script", "http://", "https://", "url("))
    small = len(text.encode()) <= MOST_BYTES
    return dg.AssetCheckResult(passed=alone and small, severity=WARN, metadata={"size_bytes": len(text.encode())})
