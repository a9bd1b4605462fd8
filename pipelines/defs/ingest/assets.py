"""The three vendors, and the facts that one ingest lands from all of them as one batch."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import dagster as dg

from pipelines.lake.schemas import DATASETS, VENDORS
from pipelines.resources import HomeResource

OWNERS = ["team:nightdesk"]
_FEEDS = {
    "polygon": "Polygon (Massive): equity bars, tickers and their changes, splits, dividends.",
    "cboe": "Cboe: delayed option chains, index levels, daily market statistics.",
    "cme": "CME: futures trades through Databento, volume and open interest by contract month.",
}
_FORMS = {"polygon": {"json", "csv"}, "cboe": {"json", "csv"}, "cme": {"dbn", "json"}}
# One partition a weekday, so that the page of a feed shows which sessions were revised, and when.
_WEEKDAYS = dg.DailyPartitionsDefinition("2003-09-10", exclusions=["0 0 * * 6", "0 0 * * 0"])

vendor_feeds = [
    dg.AssetSpec(
        ["vendor", vendor],
        group_name="ingest",
        description=f"{_FEEDS[vendor]} Outside Nightdesk: an observation tells which session brought something new.",
        kinds=_FORMS[vendor],
        owners=OWNERS,
        partitions_def=_WEEKDAYS,
    )
    for vendor in VENDORS
]


def _columns(vendor: str) -> str:
    lines = [
        f"- `{dataset.name}`, one fact per {', '.join(dataset.grain)}: {', '.join(dataset.values)}"
        for dataset in DATASETS.values()
        if dataset.vendor == vendor
    ]
    return "\n".join(lines)


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            ["facts", vendor],
            group_name="ingest",
            deps=[["vendor", vendor]],
            description=f"Every version of every fact from {vendor}, on two clocks; append-only.\n\n{_columns(vendor)}",
            kinds={"python", "parquet"},
            owners=OWNERS,
        )
        for vendor in VENDORS
    ],
    name="ingest",
)
def facts(context: dg.AssetExecutionContext, home: HomeResource) -> Iterator[Any]:
    """Land what is new, say which sessions it touches, and give each vendor's facts the digest of what they say."""
    from pipelines.lake.facts import row_counts, vendor_digest
    from pipelines.lake.ingest import ingest

    result = ingest(home.settings(), home.home(), home.now())
    counts = row_counts(home.home())
    for vendor in VENDORS:
        digest = vendor_digest(home.home(), vendor)
        changed = result.changed_sessions[vendor]
        for observation in observations(vendor, changed, digest, first_load=result.first_load):
            context.log_event(observation)
        held = {name: count for name, count in counts.items() if DATASETS[name].vendor == vendor}
        vendor_count = result.vendors[vendor]
        yield dg.MaterializeResult(
            asset_key=["facts", vendor],
            data_version=dg.DataVersion(digest),
            metadata={
                "dagster/row_count": sum(held.values()),
                "new_rows": vendor_count.rows,
                "new_bodies": vendor_count.new_bodies,
                "requests": vendor_count.requests,
                "rejects": vendor_count.rejects,
                "changed_sessions": len(changed),
                "sessions": f"{changed[0]} … {changed[-1]}" if changed else "unchanged",
                "batch": result.batch or "none",
                "datasets": dg.MetadataValue.md(_table(held, result.rows)),
            },
        )


def observations(
    vendor: str, changed: list[dt.date], digest: str, *, first_load: bool
) -> Iterator[dg.AssetObservation]:
    """One event per new or revised session; a first load, which is all of them, is one event."""
    from pipelines.vendors.times import is_session

    sessions = [day for day in changed if is_session(day)]
    tags = {"dagster/data_version": digest[:16]}
    if first_load and sessions:
        metadata = {"sessions": len(sessions), "first": str(sessions[0]), "last": str(sessions[-1])}
        yield dg.AssetObservation(["vendor", vendor], description="first load", metadata=metadata, tags=tags)
        return
    for day in sessions:
        yield dg.AssetObservation(["vendor", vendor], partition=str(day), tags=tags)


def _table(held: dict[str, int], new: dict[str, int]) -> str:
    lines = [f"| {name} | {count:,} | {new.get(name, 0):,} |" for name, count in held.items()]
    return "\n".join(["| dataset | versions held | new |", "|---|---:|---:|", *lines])
