"""The sandbox over HTTP, night by night: what is asked, what a revision touches, and a recording as a source."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import pyarrow.compute as pc
import pytest

from pipelines import sandbox, settings
from pipelines.defs.ingest.assets import observations
from pipelines.home import Home
from pipelines.lake import raw, sources
from pipelines.lake.facts import facts_digest, names_per_session, read_dataset, vendor_digest
from pipelines.lake.ingest import IngestResult, ingest
from pipelines.lake.news import News
from pipelines.lake.record import NotEmpty, record
from tests import OWN

SIZES = {"small": True, "names": 8, "sessions": 80, "nights": 6, "chain_sessions": 4, "tick_sessions": 3}
NIGHTS = (0, 1, 3, 5)  # a late split and a corrected bar come out between the last two


@dataclass
class Nights:
    home: Home
    settings: settings.Settings
    told: list[IngestResult]
    again: IngestResult

    @property
    def now(self) -> dt.datetime:
        return self.told[-1].now


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Nights:
    chosen = settings.load({"home": str(tmp_path_factory.mktemp("home")), "sandbox": SIZES}, environment=OWN)
    home = Home(chosen.home)
    told = [ingest(chosen, home, sandbox.night_now(chosen, number)) for number in NIGHTS]
    return Nights(home, chosen, told, ingest(chosen, home, told[-1].now))


def test_the_first_night_loads_everything(nights: Nights) -> None:
    first = nights.told[0]
    assert first.first_load and first.batch == 1
    assert first.quarantined == {}
    assert first.last_session == dt.date(2025, 6, 30)
    assert set(first.rows) >= {"equity_bars", "equity_minutes", "tickers", "ticker_events", "splits", "option_chain",
                               "futures_trades"}  # fmt: skip
    assert [str(day) for day in first.changed_sessions["cme"]][-1] == "2025-06-30"


def test_the_same_night_again_brings_nothing(nights: Nights) -> None:
    assert nights.again.unchanged
    assert nights.again.batch is None
    assert nights.again.vendors["polygon"].new_bodies == 0
    assert nights.home.read_section("ingest")["unchanged"] is True


def test_only_the_new_and_the_last_sessions_are_asked(nights: Nights) -> None:
    second = nights.told[1].vendors["polygon"]
    assert second.new_bodies == 1 + len(names_of(nights, "2025-07-01"))
    # Four lists, ten sessions again and one new, the minute bars of two sessions.
    assert second.requests <= 4 + 11 + 2 * SIZES["names"] + 1


def names_of(nights: Nights, session: str) -> list[str]:
    bars = read_dataset(nights.home, "equity_bars")
    return bars.filter(pc.equal(bars["session"], dt.date.fromisoformat(session)))["ticker"].unique().to_pylist()


def test_a_corrected_bar_counts_from_the_night_that_heard_of_it(nights: Nights) -> None:
    bars = read_dataset(nights.home, "equity_bars")
    late = bars.filter(pc.equal(bars["available_at"], nights.now))
    assert late.num_rows == 1
    corrected = late.to_pylist()[0]
    assert corrected["session"] == dt.date(2025, 7, 2)
    same = bars.filter(pc.and_(
        pc.equal(bars["ticker"], corrected["ticker"]), pc.equal(bars["session"], corrected["session"])
    )).to_pylist()  # fmt: skip
    assert len(same) == 2 and len({row["close"] for row in same}) == 2
    assert corrected["session"] in nights.told[-1].changed_sessions["polygon"]


def test_a_late_split_counts_from_the_night_that_heard_of_it(nights: Nights) -> None:
    splits = read_dataset(nights.home, "splits")
    heard = nights.told[2]  # published on the evening of the third
    late = splits.filter(pc.equal(splits["available_at"], heard.now)).to_pylist()
    assert len(late) == 1
    assert late[0]["ex_date"] == dt.date(2025, 7, 1)
    assert dt.date(2025, 7, 1) in heard.changed_sessions["polygon"]


def test_every_fact_has_both_clocks_and_its_body(nights: Nights) -> None:
    kept = {path.name for path in (nights.home.raw / "bodies").glob("*/*")}
    for name in ("equity_bars", "equity_minutes", "option_chain", "futures_trades", "dividends", "tickers"):
        table = read_dataset(nights.home, name)
        assert table.num_rows > 0
        for clock in ("event_time", "available_at", "ingested_at"):
            assert table[clock].null_count == 0
        assert pc.all(pc.less_equal(table["event_time"], table["available_at"])).as_py()
        assert set(table["body_sha256"].unique().to_pylist()) <= kept


def test_a_day_bar_is_the_sum_of_its_minutes(nights: Nights) -> None:
    minutes = read_dataset(nights.home, "equity_minutes")
    day = minutes.filter(pc.equal(minutes["session"], dt.date(2025, 7, 1)))
    summed = day.group_by("ticker").aggregate([("volume", "sum"), ("high", "max"), ("low", "min")])
    bars = read_dataset(nights.home, "equity_bars")
    for row in summed.to_pylist():
        bar = bars.filter(pc.and_(
            pc.equal(bars["ticker"], row["ticker"]), pc.equal(bars["session"], dt.date(2025, 7, 1))
        )).to_pylist()[0]  # fmt: skip
        assert (bar["volume"], bar["high"], bar["low"]) == (row["volume_sum"], row["high_max"], row["low_min"])


def test_a_recording_is_a_source_of_the_same_facts(nights: Nights, tmp_path: Path) -> None:
    folder = tmp_path / "recording"
    written = record(nights.home, folder)
    assert written == len({(row["path"], row["sha256"]) for row in raw.receipts(nights.home).to_pylist()})
    assert list(folder.rglob("*~2"))  # the corrected day, and the lists that grew
    chosen = settings.load({"home": str(tmp_path / "home"), "source": f"files:{folder}"}, environment=OWN)
    replayed = Home(chosen.home)
    result = ingest(chosen, replayed, nights.now + dt.timedelta(days=3))
    assert facts_digest(replayed) == facts_digest(nights.home)
    assert result.vendors["cme"].new_bodies == SIZES["tick_sessions"] + 5
    assert ingest(chosen, replayed, nights.now + dt.timedelta(days=4)).unchanged
    # As of an earlier night the recording holds what had been received by then.
    early = settings.load({"home": str(tmp_path / "early"), "source": f"files:{folder}"}, environment=OWN)
    ingest(early, Home(early.home), nights.told[1].now)
    assert not list((early.home / "lake/raw/facts").glob("batch-000002"))
    assert names_per_session(Home(early.home), last=1)[0][0] == dt.date(2025, 7, 1)
    with pytest.raises(NotEmpty):
        record(nights.home, folder)


def test_the_vendors_source_asks_the_same_questions_at_real_addresses(
    nights: Nights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "FIRST_LOAD_SESSIONS", 12)
    covered = {"accept_terms": "cboe"}
    chosen = settings.load({"home": str(tmp_path), "source": "vendors", "coverage": covered}, environment=OWN)
    with sandbox.serve(sandbox.generate(nights.settings), nights.now) as served:
        environment = {
            "POLYGON_API_KEY": served.key, "DATABENTO_API_KEY": served.key, "POLYGON_BASE_URL": served.polygon,
            "CBOE_BASE_URL": served.cboe, "DATABENTO_BASE_URL": served.databento,
        }  # fmt: skip
        with sources.opened(chosen, Home(tmp_path), nights.now, environment) as source:
            result = ingest(chosen, Home(tmp_path), nights.now, source)
    assert result.quarantined == {}
    assert names_per_session(Home(tmp_path), last=12) == names_per_session(nights.home, last=12)
    assert {vendor: days[-1:] for vendor, days in result.changed_sessions.items() if vendor != "polygon"} == {
        "cboe": [result.last_session], "cme": [result.last_session]
    }  # fmt: skip


def test_a_first_load_is_one_event_and_later_each_session_is_its_own(nights: Nights) -> None:
    first, second = (
        list(observations("polygon", News(number, number == 1, told.changed_sessions), "d" * 64))
        for number, told in enumerate(nights.told[:2], 1)
    )
    assert [event.partition for event in first] == [None]
    assert [event.partition for event in second] == ["2025-07-01"]
    assert second[0].tags["dagster/data_version"] == "d" * 16


def test_a_vendors_digest_changes_with_its_facts_only(nights: Nights, tmp_path: Path) -> None:
    assert vendor_digest(nights.home, "cboe") == vendor_digest(nights.home, "cboe")
    assert vendor_digest(nights.home, "cboe") != vendor_digest(Home(tmp_path), "cboe")
