"""The night's file of sectors, as a limits file and the graph's settings take it."""

import datetime as dt
from pathlib import Path

from live.settings import load_limits
from pipelines import settings
from pipelines.home import Home
from pipelines.lake import marts
from pipelines.report import sectors
from tests import OWN
from tests.test_pipelines import bodies
from tests.test_pipelines.lake_told import land

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
