"""ES in December 2013, from the recorded volumes of its contracts: it rolls in the session after they cross."""

import datetime as dt
import json
import zipfile
from pathlib import Path

import pytest

from pipelines import settings
from pipelines.home import Home
from pipelines.lake import marts
from pipelines.lake.ingest import ingest
from tests import OWN
from tests.real_layout import write

pytestmark = pytest.mark.deep
NOW = dt.datetime(2014, 1, 4, 6, tzinfo=dt.UTC)
CONTRACTS = {"201312": "DEC 2013", "201403": "MAR 2014"}


def volumes(samples: Path, contract: str) -> dict[dt.date, int]:
    """Volume by session of December; what traded on a Sunday evening stands under its own date and is left out."""
    with zipfile.ZipFile(samples / "cme/lean/daily/es_trade.zip") as packed:
        lines = packed.read(f"es_trade_{contract}.csv").decode().split()
    rows = [(lines[at], lines[at + 1].split(",")[-1]) for at in range(0, len(lines) - 1, 2)]
    days = {dt.date(int(day[:4]), int(day[4:6]), int(day[6:])): int(volume) for day, volume in rows}
    return {day: volume for day, volume in days.items() if (day.year, day.month) == (2013, 12) and day.weekday() < 5}


def lay_volumes(samples: Path, folder: Path) -> None:
    """Reports of volume by contract month, in the words of the exchange's own page."""
    told = {month: volumes(samples, contract) for contract, month in CONTRACTS.items()}
    for day in sorted(set().union(*told.values())):
        rows = [{"month": month, "totalVolume": f"{held[day]:,}", "atClose": "-"}
                for month, held in told.items() if day in held]
        body = {"tradeDate": f"{day:%Y%m%d}", "updateTime": f"{day + dt.timedelta(1)}T06:00:00.000Z", "monthData": rows}
        write(folder, f"cme/volume_details/133_{day:%Y%m%d}_F.json", json.dumps(body).encode())


def test_march_is_front_from_the_session_after_its_volume_was_more(samples: Path, tmp_path: Path) -> None:
    december, march = (volumes(samples, contract) for contract in CONTRACTS)
    assert min(day for day in march if march[day] > december.get(day, 0)) == dt.date(2013, 12, 13)
    lay_volumes(samples, tmp_path / "source")
    chosen = settings.load({"home": str(tmp_path / "home"), "source": f"files:{tmp_path / 'source'}"}, environment=OWN)
    desk = Home(chosen.home).prepare()
    assert ingest(chosen, desk, NOW).quarantined == {}
    marts.build(desk, now=NOW)
    with marts.connect(desk) as connection:
        found = connection.sql("select symbol, min(session), max(session) from roll_calendar "
                               "where root = 'ES' and rule = 'volume' group by 1 order by 2").fetchall()
    assert [row[0] for row in found] == ["ESZ3", "ESH4"]
    assert found[0][2] == dt.date(2013, 12, 13) and found[1][1] == dt.date(2013, 12, 16)
