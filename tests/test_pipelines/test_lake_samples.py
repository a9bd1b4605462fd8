"""Real bodies laid out as the design says become facts with their known numbers."""

import datetime as dt
import shutil
from pathlib import Path

import pyarrow.compute as pc
import pytest

from pipelines import settings
from pipelines.home import Home
from pipelines.lake.facts import read_dataset
from pipelines.lake.ingest import ingest
from tests import OWN


@pytest.fixture(scope="module")
def home(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("source")
    trades = "futures_trades_2024-07-01T23-58_2024-07-02T00-02.dbn.zst"
    definitions = "futures_definition.dbn.zst"
    laid_out = {
        "cboe/delayed_quotes_options_AAPL_2026-07-25.json": "cboe/options/AAPL/2026-07-25.json",
        "cboe/quotedata_csv/spx_quotedata_2022-07-12_1155EDT.csv": "cboe/quotedata/spx_quotedata_2022-07-12.csv",
        f"cme/dbn/esu4_nqu4_2024-07-01/{trades}": f"cme/dbn/{trades}",
        f"cme/dbn/esu4_nqu4_2024-07-01/{definitions}": f"cme/dbn/{definitions}",
        "cboe/totalpc.csv": "cboe/indices/totalpc_History.csv",
    }
    for source, target in laid_out.items():
        (folder / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(samples / source, folder / target)
    chosen = settings.load({"home": str(tmp_path_factory.mktemp("home")), "source": f"files:{folder}"}, environment=OWN)
    result = ingest(chosen, Home(chosen.home), dt.datetime(2026, 8, 1, tzinfo=dt.UTC))
    assert result.quarantined == {}
    return Home(chosen.home)


def test_a_chain_counts_from_its_own_timestamp(home: Home) -> None:
    chain = read_dataset(home, "option_chain")
    apple = chain.filter(pc.equal(chain["underlying"], "AAPL"))
    assert apple.num_rows == 3576
    assert apple["available_at"].unique().to_pylist() == [dt.datetime(2026, 7, 25, 3, 44, 38, tzinfo=dt.UTC)]
    spx = chain.filter(pc.equal(chain["underlying"], "SPX"))
    same_day = spx.filter(pc.equal(spx["expiry"], spx["session"]))
    assert round(pc.sum(same_day["volume"]).as_py() / pc.sum(spx["volume"]).as_py(), 6) == 0.515467


def test_a_print_counts_a_quarter_of_an_hour_after_it_happened(home: Home) -> None:
    trades = read_dataset(home, "futures_trades")
    assert (trades.num_rows, pc.sum(trades["size"]).as_py()) == (120, 253)
    waited = pc.unique(pc.subtract(trades["available_at"], trades["event_time"])).to_pylist()
    assert waited == [dt.timedelta(minutes=15)]
