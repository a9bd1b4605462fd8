"""Any subset of the layout is a source: what is there is read, what is not is skipped, what is broken is set aside."""

import datetime as dt
import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines import settings
from pipelines.home import Home
from pipelines.lake import marts
from pipelines.lake.facts import read_dataset, row_counts
from pipelines.lake.ingest import IngestResult, ingest
from tests import OWN
from tests import real_layout as real
from tests.conftest import nightdesk

NOW = dt.datetime(2026, 8, 1, 6, tzinfo=dt.UTC)
SPLIT_DAYS = (dt.date(2020, 8, 28), dt.date(2020, 9, 1))
FLAT = "polygon/flatfiles/us_stocks_sip/day_aggs_v1/2020/08/2020-08-28.csv.gz"


def read(folder: Path, home: Path, now: dt.datetime = NOW) -> tuple[Home, IngestResult]:
    folder.mkdir(exist_ok=True)
    chosen = settings.load({"home": str(home), "source": f"files:{folder}"}, environment=OWN)
    desk = Home(chosen.home).prepare()
    return desk, ingest(chosen, desk, now)


def bars(samples: Path, folder: Path) -> None:
    real.lay_bars(samples, folder, *SPLIT_DAYS)


@pytest.mark.parametrize(
    ("lay", "held"),
    [
        (bars, {"equity_bars": 12}),
        (real.lay_reference, {"tickers": 4, "ticker_events": 6, "splits": 6, "dividends": 129}),
        (real.lay_chain, {"option_chain": 3576}),
        (real.lay_quotedata, {"option_chain": 19614}),
        (real.lay_trades, {"futures_trades": 120, "futures_ohlcv": 60, "futures_definitions": 2}),
        (real.lay_indices, {"index_levels": 9200}),
        (real.lay_details, {"volume_details": 2843}),
        (lambda samples, folder: None, {}),
    ],
)
def test_what_is_there_is_read(
    lay: Callable[[Path, Path], object], held: dict[str, int], samples: Path, tmp_path: Path
) -> None:
    lay(samples, tmp_path / "source")
    desk, result = read(tmp_path / "source", tmp_path / "home")
    assert {name: count for name, count in row_counts(desk).items() if count} == held
    assert result.quarantined == {} and result.unchanged == (not held)
    again = read(tmp_path / "source", tmp_path / "home")[1]
    assert again.unchanged


def test_what_is_broken_is_set_aside_and_the_rest_is_built(samples: Path, tmp_path: Path) -> None:
    folder, page = tmp_path / "source", b"<!DOCTYPE html><html><body>403</body></html>"
    bars(samples, folder)
    real.lay_reference(samples, folder)
    whole = (folder / FLAT).read_bytes()
    later = folder / FLAT.replace("08-28", "08-31")
    real.write(folder, FLAT, b"\xef\xbb\xbf" + gzip.decompress(whole).replace(b"\n", b"\r\n"))  # not zipped, and so on
    cut = later.with_name("2020-08-27.csv.gz")
    cut.write_bytes(whole[:60])
    broken = ["cboe/options/SPX/a.json", "cboe/quotedata/spx_quotedata.csv", "polygon/rest/stocks/v1/splits/p.json",
              "cboe/indices/VIX_History.csv", "cboe/daily/2020-08-28_daily_options", "cme/dbn/x.dbn",
              "cme/volume_details/437_20200828_F.json"]  # fmt: skip
    for path in broken:
        real.write(folder, path, page)
    for path in ("README.txt", ".DS_Store", "cboe/elsewhere/x.json", "polygon/rest/v1/marketstatus/now.json"):
        real.write(folder, path, b"{}")  # the last is read, and says nothing of what it should
    # The newer endpoint tells the same split again, and one ticker's aggregates its own bars, less trusted.
    again = {"id": "E77", "ticker": "AAPL", "execution_date": "2020-08-31", "split_from": 1, "split_to": 4,
             "adjustment_type": "forward_split"}  # fmt: skip
    real.write(folder, "polygon/rest/stocks/v1/splits/page-1.json", real.page([again]))
    start = int(dt.datetime(2020, 8, 31, tzinfo=real.NEW_YORK).timestamp()) * 1000
    row = {"t": start, "o": 1.0, "h": 2.0, "l": 1.0, "c": 2.0, "v": 3.5}
    aggregates = json.dumps({"ticker": "AAPL", "adjusted": False, "status": "OK", "resultsCount": 1, "results": [row]})
    real.write(folder, "polygon/rest/v2/aggs/ticker/AAPL/range/1/day/2020-08-31/2020-08-31.json", aggregates.encode())

    desk, result = read(folder, tmp_path / "home")
    assert result.quarantined == {"not_data": len(broken), "truncated": 1, "schema_drift": 1}
    marts.build(desk, now=NOW)
    with marts.connect(desk) as con:
        found = con.sql("select close, split_factor from daily_bars where symbol = 'AAPL' order by session").fetchall()
        assert found == [(499.23, 1.0), (129.04, 4.0), (134.18, 4.0)]
        refused = con.sql("select path, length(body_sha256) from quarantine where reason = 'truncated'").fetchall()
        assert refused == [(FLAT.replace("08-28", "08-27"), 64)]


@pytest.mark.parametrize("noted", [True, False])
def test_a_correction_counts_from_its_receipt_or_else_from_the_modelled_time(
    noted: bool, samples: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "source"
    bars(samples, folder)
    corrected = gzip.decompress((folder / FLAT).read_bytes()).replace(b",499.23,", b",499.24,")
    real.write(folder, f"{FLAT}~2", gzip.compress(corrected, mtime=0))
    if noted:
        lines = ["path,received_at,sha256", f"{FLAT},2020-08-29T06:00:00Z,", f"{FLAT}~2,2020-09-02T06:00:00Z,"]
        (folder / "received.csv").write_text("\n".join(lines))
    desk, _ = read(folder, tmp_path / "home")
    table = read_dataset(desk, "equity_bars").to_pylist()
    told = sorted((row["available_at"], row["close"]) for row in table
                  if row["ticker"] == "AAPL" and row["session"] == SPLIT_DAYS[0])  # fmt: skip
    closed = dt.datetime(2020, 8, 28, 20, 15, tzinfo=dt.UTC)
    received = dt.datetime(2020, 9, 2, 6, tzinfo=dt.UTC)
    assert told == ([(closed, 499.23), (received, 499.24)] if noted else [(closed, 499.24)])


@pytest.mark.slow
def test_a_night_on_four_tickers_ends_green_and_says_what_it_skipped(samples: Path, tmp_path: Path) -> None:
    real.lay_everything(samples, tmp_path / "source", dt.date(2020, 6, 1), dt.date(2020, 8, 31))
    words = ("nightly", "--source", f"files:{tmp_path / 'source'}", "--now", "2026-08-01T06:00:00+0000")
    ran = nightdesk(*words, home=tmp_path / "home")
    assert ran.returncode == 0, ran.stderr[-4000:]
    assert "Nothing was trained or judged" in ran.stderr
    page = (tmp_path / "home/reports/2026-08-01/index.html").read_text()
    assert "needs more than training.first_train_sessions" in page
