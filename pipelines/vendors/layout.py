"""The `files` layout: which vendor, dataset and parser a path belongs to. A path is a body's name in every source."""

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipelines.vendors import (
    cboe,
    cboe_csv,
    cboe_daily,
    cme,
    cme_details,
    cme_streams,
    desk,
    polygon,
    polygon_company,
    polygon_index,
    polygon_options,
    polygon_reference,
    polygon_status,
)
from pipelines.vendors.parsing import Parsed, Parser


@dataclass(frozen=True)
class Route:
    pattern: re.Pattern[str]
    vendor: str
    dataset: str
    parser: Parser
    is_list: bool = False  # pages of one list: rows move between them, so the folder is what was pulled, not the page
    whole: Callable[[bytes, str], list[tuple[str, Parsed]]] | None = None  # reads a body that may hold several datasets

    def read(self, body: bytes, path: str) -> list[tuple[str, Parsed]]:
        """All that a body holds, by dataset."""
        return self.whole(body, path) if self.whole else [(self.dataset, self.parser(body, path))]


@dataclass(frozen=True)
class Delivery:
    """One answer of a source. `body` is None where the source confirms the body already held."""

    path: str
    sha256: str
    body: Callable[[], bytes] | None
    received_at: dt.datetime | None  # None: nobody noted it, the modelled time stands in
    etag: str | None = None
    url: str | None = None


def _route(pattern: str, vendor: str, dataset: str, parser: Parser, **more: Any) -> Route:
    return Route(re.compile(pattern), vendor, dataset, parser, **more)


_REST = r"polygon/rest/"
_FLAT = r"polygon/flatfiles/us_stocks_sip/"
_INDICES = r"polygon/flatfiles/us_indices/"
_DATED = r"/\d{4}/\d{2}/\d{4}-\d{2}-\d{2}\.csv(\.gz)?"
ROUTES = (
    _route(_REST + r"v2/aggs/grouped/locale/us/market/stocks/[^/]+\.json", "polygon", "equity_bars",
           polygon.grouped_day),
    _route(_REST + r"v2/aggs/ticker/I:[^/]+/range/1/day/.+\.json", "polygon", "index_bars", polygon_index.index_aggs),
    _route(_INDICES + "day_aggs_v1" + _DATED, "polygon", "index_bars", polygon_index.flat_index_days),
    _route(_REST + r"v3/snapshot/options/[^/]+/[^/]+\.json", "polygon", "option_snapshots", polygon_options.snapshot),
    _route(_REST + r"v1/marketstatus/[^/]+\.json", "polygon", "market_days", polygon_status.market_days),
    _route(_REST + r"v2/aggs/ticker/[^/]+/range/1/minute/.+\.json", "polygon", "equity_minutes", polygon.minute_aggs),
    _route(_REST + r"v2/aggs/ticker/[^/]+/range/1/day/.+\.json", "polygon", "equity_bars", polygon.day_aggs),
    _route(_FLAT + "day_aggs_v1" + _DATED, "polygon", "equity_bars", polygon.flat_days),
    _route(_FLAT + "minute_aggs_v1" + _DATED, "polygon", "equity_minutes", polygon.flat_minutes),
    _route(_REST + r"v3/reference/tickers/[^/]+\.json", "polygon", "tickers", polygon_reference.tickers, is_list=True,
           whole=polygon_company.listed_or_told),
    _route(_REST + r"v3/reference/tickers/[^/]+/overview\.json", "polygon", "ticker_details", polygon_company.overview),
    _route(_REST + r"vX/reference/tickers/[^/]+/events\.json", "polygon", "ticker_events",
           polygon_reference.ticker_events),
    _route(_REST + r"(v3/reference|stocks/v1)/splits/[^/]+\.json", "polygon", "splits", polygon_reference.splits,
           is_list=True),
    _route(_REST + r"(v3/reference|stocks/v1)/dividends/[^/]+\.json", "polygon", "dividends",
           polygon_reference.dividends, is_list=True),
    _route(r"cboe/options/[^/]+/[^/]+\.json", "cboe", "option_chain", cboe.chain),
    _route(r"cboe/quotedata/[^/]+\.csv", "cboe", "option_chain", cboe_csv.quotedata),
    _route(r"cboe/indices/[A-Z0-9]+_History\.csv", "cboe", "index_levels", cboe_daily.history),
    _route(r"cboe/daily/\d{4}-\d{2}-\d{2}_daily_options", "cboe", "market_statistics", cboe_daily.statistics),
    _route(r"cme/volume_details/\d+_\d{8}_[PF]\.json", "cme", "volume_details", cme_details.details),
    _route(r"desk/borrow\.(csv|json)", "desk", "borrow", desk.borrow),
    _route(r"cme/dbn/[^/]+\.dbn(\.zst)?", "cme", "futures_trades", cme.trades, whole=cme_streams.read),
)  # fmt: skip


def route(path: str) -> Route | None:
    """Who reads this path; None where nobody does yet."""
    return next((found for found in ROUTES if found.pattern.fullmatch(path)), None)


def slot(path: str, found: Route) -> str:
    """What one pull asks for: two pulls of it are comparable, and what the first lacked, it should have held."""
    return path.rpartition("/")[0] if found.is_list else path
