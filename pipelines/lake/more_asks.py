"""What a desk may ask for beyond a usual night: flat files, pictures of chains, indices, statistics, CME details."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

from pipelines.lake import raw
from pipelines.vendors.cme_details import ROOTS
from pipelines.vendors.http import Ask

FLAT_DAYS, FLAT_MINUTES = "us_stocks_sip/day_aggs_v1", "us_stocks_sip/minute_aggs_v1"
RECENT = 10  # sessions whose reports may still become final
_REST = "polygon/rest"
_PRODUCTS = {root: number for number, root in ROOTS.items()}
MakeAsk = Callable[[str, str, str], Ask]  # vendor, path, target: conditional where a body is held


@dataclass(frozen=True)
class More:
    """Each empty unless the settings name it. `flatfiles` are kinds in the bucket, `details` roots of futures."""

    flatfiles: tuple[str, ...] = ()
    snapshots: tuple[str, ...] = ()  # underlyings (I:SPX, AAPL) whose whole chain is pictured
    indices: tuple[str, ...] = ()  # I:VIX, daily levels
    cboe_indices: tuple[str, ...] = ()  # VIX, the exchange's own history
    statistics: int = 0  # of so many sessions, the newest ones
    details: tuple[str, ...] = ()
    holidays: bool = False
    companies: bool = False  # what each company does, one question a company once


def snapshot_stem(symbol: str, day: dt.date) -> str:
    return f"v3/snapshot/options/{symbol}/{day}"


def snapshot_target(symbol: str) -> str:
    return f"/v3/snapshot/options/{quote(symbol, safe='')}?limit=250"


def by_kind(
    more: More, days: tuple[dt.date, ...], held: raw.Held, ask: MakeAsk
) -> Iterator[tuple[str, list[Ask]]]:
    """What to say of them, and the questions."""
    if more.holidays:
        yield "coming holidays", [ask("polygon", f"{_REST}/v1/marketstatus/upcoming.json", "/v1/marketstatus/upcoming")]
    if more.indices:
        yield "index levels", [one for symbol in more.indices for one in _index_days(symbol, days, held, ask)]
    if more.cboe_indices:
        yield "index histories", [
            ask("cboe", f"cboe/indices/{name}_History.csv", f"/api/global/us_indices/daily_prices/{name}_History.csv")
            for name in more.cboe_indices
        ]
    if more.statistics:
        asked = days[-more.statistics :]
        wanted = [day for day in asked if day in days[-RECENT:] or not held.sound(f"cboe/daily/{day}_daily_options")]
        yield "market statistics", [
            ask("cboe", f"cboe/daily/{day}_daily_options",
                f"/data/us/options/market_statistics/daily/{day}_daily_options")
            for day in wanted
        ]  # fmt: skip
    if more.details:
        yield "volume and open interest", [one for root in more.details for one in _details(root, days, ask)]


def _index_days(symbol: str, days: tuple[dt.date, ...], held: raw.Held, ask: MakeAsk) -> Iterator[Ask]:
    """One question a year; the present one again each night, up to the last closed session."""
    for year in range(days[0].year, days[-1].year + 1):
        first, last = dt.date(year, 1, 1), dt.date(year, 12, 31)
        path = f"{_REST}/v2/aggs/ticker/{symbol}/range/1/day/{first}/{last}.json"
        if year >= days[-RECENT:][0].year or not held.sound(path):
            begins, ends = max(first, days[0]), min(last, days[-1])
            target = f"/v2/aggs/ticker/{quote(symbol, safe='')}/range/1/day/{begins}/{ends}?sort=asc&limit=50000"
            yield ask("polygon", path, target)


def _details(root: str, days: tuple[dt.date, ...], ask: MakeAsk) -> Iterator[Ask]:
    """The last session's preliminary report, and the final ones of the sessions before."""
    number = _PRODUCTS[root]
    for day in days[-RECENT:]:
        kinds = ("P", "F") if day == days[-1] else ("F",)
        for kind in kinds:
            date = f"{day:%Y%m%d}"
            target = f"/CmeWS/mvc/Volume/Details/F/{number}/{date}/{kind}?tradeDate={date}&pageSize=500"
            made = ask("cme", f"cme/volume_details/{number}_{date}_{kind}.json", target)
            yield Ask(made.vendor, made.path, made.target, etag=made.etag, site="cme_site")
