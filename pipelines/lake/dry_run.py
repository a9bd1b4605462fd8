"""`ingest --dry-run`: what tonight would ask for, what would come, and what it would cost."""

import datetime as dt
from dataclasses import asdict
from typing import Any

from pipelines.home import Home
from pipelines.lake import raw, sources
from pipelines.settings import Settings


def rehearse(settings: Settings, home: Home, now: dt.datetime) -> dict[str, Any]:
    """Lines by vendor and kind, and whether tonight's price is within the settings. Writes nothing."""
    held = raw.Held.read(home)
    with sources.opened(settings, home, now) as source:
        if isinstance(source, sources.HttpSource):
            lines, max_usd = source.forecast(held, now), source.max_usd
        else:  # a folder is read, not asked
            lines, max_usd = [], None
    usd = sum(line.usd for line in lines)
    return {
        "now": now.isoformat(), "source": settings.source, "lines": [asdict(line) for line in lines],
        "requests": sum(line.requests for line in lines), "bytes": sum(line.bytes for line in lines), "usd": usd,
        "max_usd": max_usd, "allowed": max_usd is None or usd <= max_usd,
    }  # fmt: skip


def print_table(told: dict[str, Any]) -> None:
    if not told["lines"]:
        print(f"{told['source']}: a folder is read, nobody is asked")
        return
    print(f"{'vendor':8} {'what':28} {'requests':>9} {'at most MB':>11} {'USD':>9}  sizes from")
    for line in told["lines"]:
        print(f"{line['vendor']:8} {line['what']:28} {line['requests']:>9,} {line['bytes'] / 1e6:>11,.1f} "
              f"{line['usd']:>9.2f}  {'what is held' if line['basis'] == 'held' else 'what is usual'}")  # fmt: skip
    print(f"{'':8} {'':28} {told['requests']:>9,} {told['bytes'] / 1e6:>11,.1f} {told['usd']:>9.2f}")
    if told["max_usd"] is not None:
        verdict = "within" if told["allowed"] else "REFUSED: more than"
        print(f"{verdict} spend.max_usd = {told['max_usd']:.2f}")
