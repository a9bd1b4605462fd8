"""The end of the night: one page that a person wants to read."""

import dagster as dg

from pipelines.resources import HomeResource


@dg.asset(
    key=["reporting", "nightly_report"],
    group_name="reporting",
    deps=[["promotion", "bundle"], ["promotion", "verdict"], ["validation", "drift"], ["validation", "baselines"],
          ["promotion", "decay"], ["promotion", "ladder"], ["promotion", "registry"], ["reporting", "twin"],
          ["reporting", "tear_sheets"]],
    kinds={"html"},
    owners=["team:nightdesk"],
)
def nightly_report(home: HomeResource) -> dg.MaterializeResult:
    """One self-contained page: the verdict and why, what changed, the strategies in pictures, data health, drift."""
    import hashlib

    from pipelines import night, report
    from pipelines.progress import say, step
    from pipelines.report import sectors

    with step("report"):
        page = report.render(home.home(), home.settings(), home.now())
        groups = sectors.write(home.home(), home.now())
    say(f"    {page}")
    content = page.read_bytes()
    night.complete(home.home())
    return dg.MaterializeResult(
        data_version=dg.DataVersion(hashlib.sha256(content).hexdigest()),
        metadata={
            "verdict": report.headline(report.tell(home.home(), home.settings(), home.now())),
            "page": dg.MetadataValue.path(str(page)),
            "catalogue": dg.MetadataValue.path(str(page.with_name("features.html"))),
            "size_bytes": len(content),
            **({"sectors": dg.MetadataValue.path(str(groups))} if groups else {}),
        },
    )
