"""A desk's borrow list from its file through lake and marts to who may be sold short at which decision."""

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import calendars
from pipelines.home import Home
from pipelines.lake import marts, views
from pipelines.lake.schemas import RECEIPTS
from pipelines.store.frame import _flags, _told, decision_time
from tests.test_pipelines.small_lake import SmallLake
from tests.test_pipelines.test_borrow import NEXT, NIGHT, land

DAYS = calendars.sessions(dt.date(2025, 6, 2), dt.date(2025, 6, 30))
COMING = calendars.next_sessions(DAYS[-1], 3)  # each has its own list
NAMES = ["LENT", "NAMED", "OTHER", "RENAMED"]
FOREVER = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)


def lake(root: Path) -> Home:
    """Four companies; one of them changes its ticker in the middle."""
    told = SmallLake()
    for figi in ("LENT", "NAMED", "OTHER"):
        told.company(figi, ("2020-01-02", f"{figi[0]}T"))
    told.company("RENAMED", ("2020-01-02", "OLD"), (str(DAYS[10]), "NEW"))
    for number, session in enumerate([*DAYS, *COMING]):
        for ticker in ("LT", "NT", "OT", "NEW" if number >= 10 else "OLD"):
            told.bar(ticker, session, 50.0)
    home = told.write(root)
    for batch in home.facts.iterdir():
        pq.write_table(RECEIPTS.empty_table(), batch / "receipts.parquet")
    return home


def build(home: Home) -> Path:
    return marts.build(home, out=home.work / "built", truncate_at=FOREVER, only=("borrow_list", "universe"),
                       now=NIGHT).path  # fmt: skip


def shortable(built: Path, now: dt.datetime, days: list[dt.date]) -> dict[str, list[bool]] | None:
    """By name, whether it could be sold short in each of these sessions."""
    moments = pa.table({"session": pa.array(days, pa.date32()), "moment": pa.array(
        [min(decision_time(day), now) for day in days], pa.timestamp("us", tz="UTC"))})  # fmt: skip
    with views.open_folder(built) as con:
        _, told = _told(con, moments)
    if told is None:
        return None
    flags = _flags(told, days, NAMES)
    return {name: flags[:, at].tolist() for at, name in enumerate(NAMES)}


def test_from_the_file_to_the_decision(tmp_path: Path) -> None:
    home, late = lake(tmp_path / "home"), DAYS[15]
    assert shortable(build(home), NIGHT, DAYS) is None  # no list: whatever is tradable
    first = (f"symbol,from,to,available_at\nLENT,,,\nNT,{DAYS[5]},{DAYS[8]},\nOLD,,,\n"
             f"OT,{DAYS[2]},,{decision_time(late).isoformat()}\n")  # fmt: skip
    land(home, tmp_path, first, NIGHT)
    built = build(home)
    assert shortable(built, NIGHT, DAYS) == {
        "LENT": [at > 0 for at in range(len(DAYS))],  # by its instrument; before the first bar nobody is there
        "NAMED": [5 <= at < 8 for at in range(len(DAYS))],  # by its ticker, for three sessions
        "OTHER": [at >= 15 for at in range(len(DAYS))],  # from when it was told, not from when it held
        "RENAMED": [0 < at < 10 for at in range(len(DAYS))],  # the ticker of the day
    }
    assert COMING[0] == NIGHT.date() and COMING[1] == NEXT.date()
    land(home, tmp_path, "symbol\nLENT\nNT\n", NEXT)  # another list, the next night
    built = build(home)
    assert shortable(built, FOREVER, COMING) == {"LENT": [True] * 3, "NAMED": [False, True, True],
                                                 "OTHER": [True, False, False], "RENAMED": [False] * 3}  # fmt: skip
    assert shortable(built, FOREVER, DAYS)["NAMED"] == [5 <= at < 8 for at in range(len(DAYS))]  # as it was then
    land(home, tmp_path, first, NEXT + dt.timedelta(days=1))  # and the first again
    built = build(home)
    assert shortable(built, FOREVER, COMING) == {"LENT": [True] * 3, "NAMED": [False, True, False],
                                                 "OTHER": [True, False, True], "RENAMED": [False] * 3}  # fmt: skip
    with views.open_folder(built, NIGHT) as con:
        assert con.sql("select count(*) from borrow_list where name = '*' and not borrowable").fetchall() == [(1,)]
