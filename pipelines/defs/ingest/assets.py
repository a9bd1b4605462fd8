"""The three vendors, and the facts that one ingest lands from all of them as one batch."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg

from pipelines.lake.schemas import DATASETS, VENDORS
from pipelines.lineage import VERSION
from pipelines.resources import HomeResource
from pipelines.run import VENDORS_POOL

if TYPE_CHECKING:
    from pipelines.home import Home
    from pipelines.lake.ingest import IngestResult
    from pipelines.lake.news import News

OWNERS = ["team:nightdesk"]
_FEEDS = {
    "polygon": "Polygon (Massive): equity bars, tickers and their changes, splits, dividends.",
    "cboe": "Cboe: delayed option chains, index levels, daily market statistics.",
    "cme": "CME: prints, bars, definitions and statistics of futures through Databento, volume by contract month.",
}
_FORMS = {"polygon": {"json", "csv"}, "cboe": {"json", "csv"}, "cme": {"dbn", "json"}}
# One partition a weekday, so that the page of a feed shows which sessions were revised, and when.
_WEEKDAYS = dg.DailyPartitionsDefinition("2003-09-10", exclusions=["0 0 * * 6", "0 0 * * 0"])

vendor_feeds = [
    dg.AssetSpec(
        ["vendor", vendor],
        group_name="ingest",
        description=f"{_FEEDS[vendor]} Outside Nightdesk, so it is observed and never made: *Events* lists each "
        "session that brought something new or was revised. (*Partitions* counts only what Dagster makes: none.)",
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
            description=f"{_FEEDS[vendor]} Every version of every fact that was ever told, with the moment from which "
            f"on it could be known; nothing is overwritten.\n\n{_columns(vendor)}",
            kinds={"python", "parquet"},
            owners=OWNERS,
        )
        for vendor in VENDORS
    ],
    name="ingest",
    pool=VENDORS_POOL,
)
def facts(context: dg.AssetExecutionContext, home: HomeResource) -> Iterator[Any]:
    """Land what is new, say which sessions it touches, and give each vendor's facts the digest of what they say. What
    a vendor did not give stops the night only where all the rest hangs on it."""
    from pipelines import alerts
    from pipelines.lake import news
    from pipelines.lake.ingest import ingest
    from pipelines.lake.trouble import Incomplete

    result = ingest(home.settings(), home.home(), home.now())
    untold = news.untold(home.home())
    for vendor, (version, metadata) in story(home.home(), result, untold).items():
        for observation in observations(vendor, untold, version):
            context.log_event(observation)
        yield dg.MaterializeResult(
            asset_key=["facts", vendor], data_version=dg.DataVersion(version), metadata=metadata
        )
    news.told(home.home(), untold)
    if result.stops:
        raise Incomplete(f"{result.not_had}. What was had is landed; nothing is judged without the rest")
    if result.failed:
        alerts.not_had(home.home(), home.settings(), context.run.run_id, result.not_had)


def story(home: "Home", result: "IngestResult", untold: "News") -> dict[str, tuple[str, dict[str, Any]]]:
    """Of each vendor's facts: the version, and what their page shows."""
    from pipelines.lake.facts import row_counts, vendor_digest

    counts = row_counts(home)
    told: dict[str, tuple[str, dict[str, Any]]] = {}
    for vendor in VENDORS:
        changed, count = untold.sessions[vendor], result.vendors[vendor]
        held = {name: rows for name, rows in counts.items() if DATASETS[name].vendor == vendor}
        told[vendor] = vendor_digest(home, vendor), {
            "dagster/row_count": sum(held.values()),
            "dagster/column_schema": _schema(vendor),
            "new_rows": count.rows,
            "new_bodies": count.new_bodies,
            "requests": count.requests,
            "rejects": count.rejects,
            "quarantine": dg.MetadataValue.asset(dg.AssetKey(["marts", "quarantine"])),
            "changed_sessions": len(changed),
            "sessions": f"{changed[0]} … {changed[-1]}" if changed else "unchanged",
            "batch": result.batch or "none",
            "datasets": dg.MetadataValue.md(_table(held, result.rows)),
        }
    return told


SAID = {
    "event_time": "When it happened.",
    "available_at": "From when on it could be known. With the grain, the key.",
    "ingested_at": "When this lake received it.",
    "body_sha256": "The body that told it, as served; kept under this name.",
    "session": "The exchange's trade date.",
    "source": "Which of the vendor's answers told it, the more trusted one first to be believed.",
    "withdrawn": "True where this version says that the vendor takes the fact back.",
}


def _schema(vendor: str) -> dg.TableSchema:
    """Columns of all datasets that a vendor's facts consist of, each under its dataset's name."""
    return dg.TableSchema([dg.TableColumn(f"{dataset.name}.{field.name}", str(field.type), SAID.get(field.name))
                           for dataset in DATASETS.values() if dataset.vendor == vendor for field in dataset.schema])


FIRST = "The first load: every session that a bar, a chain, a listing, a split or a dividend is about."


def observations(vendor: str, untold: "News", version: str) -> Iterator[dg.AssetObservation]:
    """One event per new or revised session; a first load, which is all of them, is one event."""
    from pipelines.vendors.times import is_session

    sessions = [day for day in untold.sessions[vendor] if is_session(day)]
    tags = {VERSION: version[:16]}
    if untold.first and sessions:
        metadata = {"sessions": len(sessions), "first": str(sessions[0]), "last": str(sessions[-1])}
        yield dg.AssetObservation(["vendor", vendor], description=FIRST, metadata=metadata, tags=tags)
        return
    for day in sessions:
        yield dg.AssetObservation(["vendor", vendor], partition=str(day), tags=tags)


def _table(held: dict[str, int], new: dict[str, int]) -> str:
    lines = [f"| {name} | {count:,} | {new.get(name, 0):,} |" for name, count in held.items()]
    return "\n".join(["| dataset | versions held | new |", "|---|---:|---:|", *lines])
