"""Real bodies become marts with their known numbers: the 0DTE share, and ES bars rebuilt from trades."""

import datetime as dt
import shutil
from pathlib import Path

import pytest

from pipelines import settings
from pipelines.home import Home
from pipelines.lake import marts
from pipelines.lake.ingest import ingest
from tests import OWN

NOW = dt.datetime(2026, 8, 1, tzinfo=dt.UTC)
_ES = "cme/dbn/esu4_nqu4_2024-07-01"
_TRADES = "futures_trades_2024-07-01T23-58_2024-07-02T00-02.dbn.zst"
_BARS = "futures_ohlcv-1m_2024-07-01T23-40_2024-07-02T00-10.dbn.zst"


@pytest.fixture(scope="module")
def built(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    for source, target in {
        "cboe/quotedata_csv/spx_quotedata_2022-07-12_1155EDT.csv": "cboe/quotedata/spx_quotedata_2022-07-12.csv",
        f"{_ES}/{_TRADES}": f"cme/dbn/{_TRADES}",
    }.items():
        (folder / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(samples / source, folder / target)
    chosen = settings.load({"home": str(tmp_path_factory.mktemp("home")), "source": f"files:{folder}"}, environment=OWN)
    ingest(chosen, Home(chosen.home), NOW)
    return marts.build(Home(chosen.home), now=NOW).path


def test_more_than_half_of_a_real_chain_expired_the_same_day(built: Path) -> None:
    with marts.connect(Home(built), marts_dir=built) as connection:
        found = connection.sql("select session, volume_0dte, share_0dte from option_metrics").fetchall()
    assert [(day, volume, round(share, 6)) for day, volume, share in found] == [
        (dt.date(2022, 7, 12), 376985.0, 0.515467)
    ]


def test_bars_rebuilt_from_real_trades_equal_the_vendors_bars(built: Path, samples: Path) -> None:
    import databento

    vendor = databento.DBNStore.from_bytes((samples / _ES / _BARS).read_bytes()).to_df()
    with marts.connect(Home(built), marts_dir=built) as connection:
        ours = connection.sql(
            "select bar_start, symbol, open, high, low, close, volume from futures_bars order by bar_start, symbol"
        ).fetchall()
        pressed, volume = connection.sql(
            "select sum(buy_volume + sell_volume), sum(volume) from order_flow"
        ).fetchall()[0]
        sessions = connection.sql("select distinct session from futures_trades").fetchall()
    first, last = ours[0][0], ours[-1][0]
    wanted = [
        (start.to_pydatetime(), row["symbol"], row["open"], row["high"], row["low"], row["close"], row["volume"])
        for start, row in vendor.iterrows()
        if first <= start <= last and row["symbol"] == "ESU4"
    ]
    assert ours == sorted(wanted, key=lambda bar: bar[:2]) and len(ours) == 4
    assert (pressed, volume) == (253, 253)  # no unmatched print in these minutes
    assert sessions == [(dt.date(2024, 7, 2),)]  # 23:58Z belongs to the next trade date
