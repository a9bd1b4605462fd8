"""A source that has minutes and nothing else: names of their own, and their bars."""

import datetime as dt
import gzip
from pathlib import Path

from pipelines import settings
from pipelines.home import Home
from pipelines.lake import marts
from pipelines.lake.ingest import ingest
from tests import OWN
from tests import real_layout as real

NOW = dt.datetime(2025, 7, 1, 6, tzinfo=dt.UTC)
HEADER = "ticker,volume,open,close,high,low,window_start,transactions"


def _minutes(day: dt.date, *tickers: str) -> bytes:
    opened = dt.datetime.combine(day, dt.time(9, 30), tzinfo=real.NEW_YORK)
    rows = [f"{ticker},100,10,10.5,11,9.5,{int((opened + dt.timedelta(minutes=at)).timestamp()) * 10**9},7"
            for ticker in tickers for at in range(3)]
    return gzip.compress("\n".join([HEADER, *rows]).encode(), mtime=0)


def test_minutes_alone_have_names_and_bars(tmp_path: Path) -> None:
    for day, tickers in ((dt.date(2025, 6, 26), ("AAA", "BBB")), (dt.date(2025, 6, 27), ("AAA",))):
        path = f"polygon/flatfiles/us_stocks_sip/minute_aggs_v1/{day:%Y/%m}/{day}.csv.gz"
        real.write(tmp_path / "source", path, _minutes(day, *tickers))
    chosen = settings.load({"home": str(tmp_path / "home"), "source": f"files:{tmp_path / 'source'}"}, environment=OWN)
    desk = Home(chosen.home).prepare()
    assert ingest(chosen, desk, NOW).quarantined == {}
    marts.build(desk, now=NOW)
    with marts.connect(desk) as con:
        told = con.sql("select symbol, session, count(*), count(distinct instrument_id) from minute_bars group by all "
                       "order by all").fetchall()
        assert told == [("AAA", dt.date(2025, 6, 26), 3, 1), ("AAA", dt.date(2025, 6, 27), 3, 1),
                        ("BBB", dt.date(2025, 6, 26), 3, 1)]
        since = con.sql("select symbol, min(available_at) from symbols group by all order by all").fetchall()
        first = dt.datetime(2025, 6, 26, 13, 46, tzinfo=dt.UTC)  # the first minute's end, and the feed's delay
        assert since == [("AAA", first), ("BBB", first)]
        assert con.sql("select count(distinct instrument_id) from instruments").fetchall() == [(2,)]
        assert con.sql("select session, symbol, tradable from universe where session <= '2025-06-26' order by all"
                       ).fetchall() == [(dt.date(2025, 6, 26), "AAA", False), (dt.date(2025, 6, 26), "BBB", False)]
