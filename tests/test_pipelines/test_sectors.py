"""What companies do, from the vendor's body to `instruments`, and the file of sectors that limits and graph take."""

import datetime as dt
from pathlib import Path

from live.settings import load_limits
from pipelines import settings
from pipelines.home import Home
from pipelines.lake import marts
from pipelines.lake.facts import read_dataset
from pipelines.report import sectors
from tests import OWN
from tests.test_pipelines import bodies
from tests.test_pipelines.lake_told import at, land
from tests.test_pipelines.test_vendors_company import COMPANY, FIGI, PATH, told

NOW = dt.datetime(2025, 7, 2, 6, tzinfo=dt.UTC)
A, B, C, D = (f"BBG00000000{number}" for number in range(4))


def _land(home: Path, *told: tuple[str, str, str | None]) -> None:
    company = {"market": "stocks", "active": True, "type": "CS"}
    land(home, *((f"polygon/rest/v3/reference/tickers/{ticker}.json", None, bodies.envelope(
        {**company, "ticker": ticker, "composite_figi": figi, "sic_code": code})) for ticker, figi, code in told),
        now=NOW)  # fmt: skip
    marts.build(Home(home), now=NOW)


def test_limits_and_the_graph_read_what_a_night_wrote(tmp_path: Path) -> None:
    _land(tmp_path, ("AAA", A, "3571"), ("BBB", B, "6022"), ("CCC", C, "3674"), ("FND", D, None))
    written = sectors.write(Home(tmp_path), NOW)
    assert written is not None
    (tmp_path / "limits.toml").write_text(f'sectors = "{written.relative_to(tmp_path)}"\n')
    assert load_limits(tmp_path / "limits.toml").sectors == {
        A: "business_equipment", B: "finance", C: "business_equipment"}  # fmt: skip
    chosen = settings.load({"home": str(tmp_path), "gnn": {"groups": str(written)}}, environment=OWN)
    assert chosen.gnn.groups == ((A, C), (B,))


def test_without_a_sector_there_is_no_file(tmp_path: Path) -> None:
    _land(tmp_path, ("FND", D, None))
    Home(tmp_path).reports.mkdir(parents=True, exist_ok=True)
    (Home(tmp_path).reports / "sectors.toml").write_text("of an earlier night")
    assert sectors.write(Home(tmp_path), NOW) is None
    assert not (Home(tmp_path).reports / "sectors.toml").exists()


def test_the_official_clients_mock_is_a_company_and_its_code(samples: Path, tmp_path: Path) -> None:
    body = (samples / "polygon/mocks/v3/reference/tickers/AAPL.json").read_bytes()
    land(tmp_path, ("polygon/rest/v3/reference/tickers/AAPL.json", None, body),
         (bodies.GROUPED_PATH, None, bodies.grouped(bodies.bar("AAPL"))), now=at(2))  # fmt: skip
    marts.build(Home(tmp_path), now=at(2))
    with marts.connect(Home(tmp_path)) as connection:
        found = connection.sql("select instrument_id, name, security_type, sic_code, sector from instruments")
        assert found.fetchall() == [(FIGI, "Apple Inc.", "CS", "3571", "business_equipment")]
        assert connection.sql("select instrument_id from daily_bars").fetchall() == [(FIGI,)]


def test_another_business_counts_from_when_it_was_told(tmp_path: Path) -> None:
    land(tmp_path, (bodies.TICKERS_PATH, None, bodies.envelope([COMPANY])), (PATH, None, told()), now=at(1))
    land(tmp_path, (PATH, at(5), told(sic_code="6770")), now=at(5))
    marts.build(Home(tmp_path), now=at(6))
    for moment, sector in ((at(4), "business_equipment"), (at(6), "finance")):
        with marts.connect(Home(tmp_path), as_of=moment) as connection:
            assert connection.sql("select sector from instruments").fetchall() == [(sector,)]


def test_a_lake_of_before_there_were_any_is_built(tmp_path: Path) -> None:
    land(tmp_path, (bodies.GROUPED_PATH, None, bodies.grouped(bodies.bar("AAPL"))), now=at(1))
    for batch in (tmp_path / "lake/raw/facts").glob("batch-*"):
        (batch / "ticker_details.parquet").unlink()
    assert read_dataset(Home(tmp_path), "ticker_details").num_rows == 0
    marts.build(Home(tmp_path), now=at(2))
    with marts.connect(Home(tmp_path)) as connection:
        assert connection.sql("select count(*), count(sector) from instruments").fetchall() == [(1, 0)]
