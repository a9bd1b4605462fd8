"""Ways into the marts under familiar names: `HistoricalDataStore`, `TickerMapper`, `UniverseBuilder`."""

import datetime as dt
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.home import Home
from pipelines.lake import marts
from pipelines.lake.cache import PredictiveCache
from pipelines.literals import text

if TYPE_CHECKING:
    import pandas as pd

TIMEFRAMES = {"1d": 0, "1m": 1, "5m": 5, "15m": 15, "30m": 30, "1h": 60}  # minutes; 0 is a session
Day = dt.date | dt.datetime | str
Question = tuple[str, str, str, dt.date, dt.date, str]  # folder of the marts, as of, asset, start, end, timeframe
KEPT_MB, ANSWERS_MB = 64, 4


def as_date(value: Day) -> dt.date:
    if isinstance(value, dt.datetime):
        return value.date()
    return value if isinstance(value, dt.date) else dt.date.fromisoformat(value[:10])


class _Marts:
    """The current marts, as of a moment where one is given. A generation is named by its content, so that no answer
    that is kept can be out of date: asked again, it costs no connection."""

    def __init__(self, home: Home | Path | str, as_of: dt.datetime | None = None) -> None:
        self.home = home if isinstance(home, Home) else Home(Path(home))
        self.as_of = as_of
        self._answers = PredictiveCache(ANSWERS_MB)

    def _texts(self, query: str, *given: Any) -> list[str]:
        """The only column of what is found, which is text."""
        folder = marts.current(self.home)
        key = (str(folder), str(self.as_of), query, *map(str, given))
        found: list[str] | None = self._answers.get(key)
        if found is None:
            with marts.connect(self.home, as_of=self.as_of, marts_dir=folder) as connection:
                found = [str(row[0]) for row in connection.execute(query, list(given)).fetchall()]
            self._answers.set(key, found, math.inf)
        return found


class TickerMapper(_Marts):
    """Who a ticker means, and how that company is called on another day. Tickers may have had several owners."""

    def owner(self, ticker: str, date: Day) -> str:
        """Permanent id of the company that held the ticker that day, else of the last one before, else of the next."""
        found = self._texts(
            "select instrument_id from symbols where symbol = $1 order by "
            "case when valid_from <= $2 and (valid_to is null or $2 < valid_to) then 0 "
            "when valid_to <= $2 then 1 else 2 end, abs($2::date - coalesce(valid_to, valid_from)) limit 1",
            ticker, as_date(date),
        )  # fmt: skip
        if not found:
            raise KeyError(f"no company ever went by {ticker}, as far as these marts know")
        return found[0]

    def resolve(self, ticker: str, date: Day) -> str:
        """What the company was called on that day; before its first day and after its last, as at that end."""
        found = self._texts(
            "select symbol from symbols where instrument_id = $1 order by "
            "case when valid_from <= $2 and (valid_to is null or $2 < valid_to) then 0 else 1 end, "
            "abs($2::date - case when valid_to <= $2 then valid_to else valid_from end) limit 1",
            self.owner(ticker, date), as_date(date),
        )  # fmt: skip
        return found[0]


class UniverseBuilder(_Marts):
    """Everything that could be chosen on a day, those who died since included."""

    def get_universe(self, date: Day, asset_class: str = "equity") -> list[str]:
        return self._texts(
            "select distinct symbol from universe where session = $1 and asset_class = $2 order by 1", as_date(date),
            asset_class,
        )  # fmt: skip


class HistoricalDataStore(_Marts):
    """Bars of one asset over time, stitched through its renames; futures by contract (ESU5) or root (ES).

    What was asked is kept, packed, and what usually follows is read ahead. Another `cache` may be larger, or shared."""

    def __init__(
        self, home: Home | Path | str, as_of: dt.datetime | None = None, *, cache: PredictiveCache | None = None
    ) -> None:
        super().__init__(home, as_of)
        self.cache = cache or PredictiveCache(KEPT_MB, loader=self._read, loaded_ttl=math.inf)

    def query(self, asset: str, start: Day, end: Day, timeframe: str = "1d") -> "pd.DataFrame":
        """Raw bars from `start` to `end`, both included. An asset is a ticker of `end`'s day or a permanent id; a root
        of futures is its front contract by volume. Prices are as traded; `adjusted_bars(as_of)` is another view."""
        if timeframe not in TIMEFRAMES:
            raise ValueError(f"timeframe {timeframe} is not known: {', '.join(TIMEFRAMES)}")
        key = (str(marts.current(self.home)), str(self.as_of), asset, as_date(start), as_date(end), timeframe)
        found: pd.DataFrame | None = self.cache.get(key)
        if found is None:  # a shared cache without a loader
            found = self._read(key)
            self.cache.set(key, found, math.inf)
        return found

    def _read(self, key: Question) -> "pd.DataFrame":
        folder, _, asset, start, end, timeframe = key
        minutes = TIMEFRAMES[timeframe]
        with marts.connect(self.home, as_of=self.as_of, marts_dir=Path(folder)) as connection:
            source = self._source(connection, asset, end, minutes)
            moment = "session" if not minutes else f"time_bucket(interval {minutes} minute, bar_start)"
            return connection.execute(
                f"select {moment} as timestamp, arg_min(symbol, moment) as symbol, arg_min(open, moment) as open, "
                "max(high) as high, min(low) as low, arg_max(close, moment) as close, sum(volume) as volume "
                f"from (select *, {'session' if not minutes else 'bar_start'} as moment from {source[0]}) "
                "where session between $1 and $2 and (instrument_id = $3 or symbol = $3 or $3 = '') "
                "group by 1 order by 1",
                [start, end, source[1]],
            ).df()

    def _source(self, connection: Any, asset: str, day: dt.date, minutes: int) -> tuple[str, str]:
        """The mart to read and whom to read of it."""
        future = "select 1 from futures_bars where symbol = $1 or instrument_id = $1 limit 1"
        if connection.execute(future, [asset]).fetchone():
            return "futures_bars", asset
        if connection.execute("select 1 from continuous_bars where root = $1 limit 1", [asset]).fetchone():
            return f"(select * from continuous_bars where rule = 'volume' and root = {text(asset)})", ""
        known = connection.execute("select 1 from instruments where instrument_id = $1", [asset]).fetchone()
        whom = asset if known else TickerMapper(self.home, self.as_of).owner(asset, day)
        return ("minute_bars" if minutes else "daily_bars"), whom
