"""The files layout: which file is which body of which path, and when it was received."""

import datetime as dt
import hashlib
from pathlib import Path

import pytest

from pipelines import settings
from pipelines.home import Home
from pipelines.lake.sources import SourceError, opened
from pipelines.vendors.files import BadFolder, FilesTransport, split_version, versioned
from pipelines.vendors.layout import route, slot
from tests import OWN
from tests.test_pipelines import bodies
from tests.test_pipelines.lake_told import at


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())


@pytest.mark.parametrize(
    ("path", "dataset"),
    [
        (bodies.GROUPED_PATH, "equity_bars"), (bodies.DAYS_PATH, "equity_bars"), (bodies.FLAT_DAYS_PATH, "equity_bars"),
        (bodies.MINUTES_PATH, "equity_minutes"), (bodies.FLAT_MINUTES_PATH, "equity_minutes"),
        (bodies.TICKERS_PATH, "tickers"), (bodies.EVENTS_PATH, "ticker_events"), (bodies.SPLITS_PATH, "splits"),
        (bodies.OLD_SPLITS_PATH, "splits"), (bodies.DIVIDENDS_PATH, "dividends"), (bodies.CHAIN_PATH, "option_chain"),
        ("cboe/options/AAPL/any name.json", "option_chain"), (bodies.QUOTEDATA_PATH, "option_chain"),
        (bodies.INDEX_PATH, "index_levels"), (bodies.STATISTICS_PATH, "market_statistics"),
        (bodies.DETAILS_PATH, "volume_details"), (bodies.TRADES_PATH, "futures_trades"),
        ("cme/dbn/plain.dbn", "futures_trades"), (bodies.SNAPSHOT_PATH, "option_snapshots"),
        (bodies.INDEX_AGGS_PATH, "index_bars"), (bodies.FLAT_INDEX_PATH, "index_bars"),
        (bodies.UPCOMING_PATH, "market_days"),
    ],
)  # fmt: skip
def test_the_designs_paths_have_their_readers(path: str, dataset: str) -> None:
    found = route(path)
    assert found is not None and found.dataset == dataset


def test_pages_share_a_slot_and_days_do_not() -> None:
    tickers, day = route(bodies.TICKERS_PATH), route(bodies.GROUPED_PATH)
    assert tickers is not None and day is not None
    assert slot(bodies.TICKERS_PATH, tickers) == slot(bodies.TICKERS_PATH.replace("1", "2"), tickers)
    assert slot(bodies.GROUPED_PATH, day) != slot(bodies.GROUPED_PATH.replace("30", "27"), day)


@pytest.mark.parametrize("name", ["a/b.json~2", "a/b~2.json"])
def test_later_bodies_belong_to_the_path_of_the_first(name: str) -> None:
    assert split_version(name) == ("a/b.json", 2)
    assert split_version(versioned("a/b.json", 3)) == ("a/b.json", 3)
    assert split_version("a/b.json") == ("a/b.json", 1)


def test_bodies_come_in_the_order_in_which_they_were_received(tmp_path: Path) -> None:
    later = f"{bodies.GROUPED_PATH}~2"
    write(tmp_path, bodies.GROUPED_PATH, later, bodies.CHAIN_PATH, "cboe/elsewhere/x.json")
    rows = [(later, at(3)), (bodies.GROUPED_PATH, at(1)), (bodies.GROUPED_PATH, at(2)), (bodies.CHAIN_PATH, at(9))]
    table = "path,received_at,sha256\n" + "".join(f"{path},{moment.isoformat()},\n" for path, moment in rows)
    (tmp_path / "received.csv").write_text(table)
    told = [(d.path, d.received_at, d.body and d.body()) for d in FilesTransport(tmp_path).deliveries(at(5))]
    first, second = bodies.GROUPED_PATH.encode(), later.encode()
    day = bodies.GROUPED_PATH
    assert told == [(day, at(1), first), (day, at(2), first), (day, at(3), second)]


def test_without_notes_every_body_has_the_modelled_time(tmp_path: Path) -> None:
    write(tmp_path, bodies.GROUPED_PATH, f"{bodies.GROUPED_PATH}~2")
    assert [d.received_at for d in FilesTransport(tmp_path).deliveries(at(5))] == [None, None]


def test_a_note_may_name_a_later_body_by_its_path_and_hash(tmp_path: Path) -> None:
    later = f"{bodies.GROUPED_PATH}~2"
    write(tmp_path, bodies.GROUPED_PATH, later)
    rows = [(name, hashlib.sha256(name.encode()).hexdigest()) for name in (bodies.GROUPED_PATH, later)]
    lines = [f"{bodies.GROUPED_PATH},{at(n).isoformat()},{sha256}" for n, (_, sha256) in enumerate(rows, start=1)]
    (tmp_path / "received.csv").write_text("\n".join(["path,received_at,sha256", *lines]))
    assert [d.received_at for d in FilesTransport(tmp_path).deliveries(at(5))] == [at(1), at(2)]


def test_a_table_that_cannot_be_read_names_its_line(tmp_path: Path) -> None:
    write(tmp_path, bodies.GROUPED_PATH)
    (tmp_path / "received.csv").write_text(f"path,received_at,sha256\n{bodies.GROUPED_PATH},yesterday,\n")
    with pytest.raises(BadFolder, match="line 2"):
        list(FilesTransport(tmp_path).deliveries(at(5)))


@pytest.mark.parametrize(
    ("source", "environment", "words"),
    [
        ("files:/no/such/folder", {}, "no such folder"),
        ("vendors", {}, "MASSIVE_API_KEY and DATABENTO_API_KEY"),
        ("vendors", {"POLYGON_API_KEY": "k"}, "DATABENTO_API_KEY not in the environment"),
    ],
)
def test_a_source_that_cannot_be_says_what_to_do(
    source: str, environment: dict[str, str], words: str, tmp_path: Path
) -> None:
    chosen = settings.load({"home": str(tmp_path), "source": source}, environment=OWN)
    with pytest.raises((SourceError, BadFolder), match=words), opened(
        chosen, Home(tmp_path), dt.datetime(2025, 7, 1, tzinfo=dt.UTC), environment
    ):
        pass



def test_a_source_that_nobody_knows_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(settings.SettingsError, match="sandbox, files:DIR or vendors"):
        settings.load({"home": str(tmp_path), "source": "carrier-pigeon"}, environment=OWN)
