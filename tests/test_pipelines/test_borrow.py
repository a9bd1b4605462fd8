"""A desk's borrow list: what its file may say, how it is told what is wrong with it, and that nothing of it is lost."""

import datetime as dt
from pathlib import Path

import pytest

from pipelines import settings
from pipelines.home import Home
from pipelines.lake import own_lists, raw
from pipelines.lake.facts import read_dataset
from pipelines.lake.ingest import ingest
from pipelines.lake.record import record
from pipelines.settings import SettingsError
from pipelines.vendors.desk import borrow
from tests import OWN
from tests.test_pipelines.small_lake import RECEIVED as NIGHT

NEXT = NIGHT + dt.timedelta(days=1)


def land(home: Home, folder: Path, body: str, now: dt.datetime, name: str = "borrow.csv") -> None:
    (folder / name).write_text(body)
    (folder / "source").mkdir(exist_ok=True)
    chosen = settings.load({"home": str(home.root), "source": f"files:{folder / 'source'}",
                            "borrow": {"file": str(folder / name)}}, environment=OWN)  # fmt: skip
    ingest(chosen, home, now)


def test_it_is_kept_recorded_and_read_again_from_a_recording(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").prepare()
    land(home, tmp_path, '["AAA", {"symbol": "GME", "borrowable": false}]', NIGHT, "list.json")
    land(home, tmp_path, '["AAA", {"symbol": "GME", "borrowable": false}]', NEXT, "list.json")  # unchanged: nothing new
    land(home, tmp_path, '["GME"]', NEXT, "list.json")
    held = read_dataset(home, "borrow")
    assert raw.receipts(home)["path"].to_pylist() == ["desk/borrow.json"] * 2
    assert held.num_rows == 5  # three entries; AAA is gone, GME lent after all
    record(home, tmp_path / "recording")
    chosen = settings.load({"home": str(tmp_path / "again"), "source": f"files:{tmp_path / 'recording'}"},
                           environment=OWN)  # fmt: skip
    other = Home(chosen.home).prepare()
    ingest(chosen, other, NEXT)
    keys = [("name", "ascending"), ("available_at", "ascending")]
    kept = ["name", "valid_from", "borrowable", "withdrawn", "available_at"]
    assert read_dataset(other, "borrow").select(kept).sort_by(keys).equals(held.select(kept).sort_by(keys))


@pytest.mark.parametrize(("body", "words"), [
    (None, "No such file"), ("", "names no column"), ("symbol\n", "names nobody"),
    ("symbol,from\nAAA,2025-06-02\nBBB,yesterday\n", "entry 2, bad_time"),
    ("symbol,borrowable\nAAA,perhaps\n", "entry 1, bad_type"), ("symbol\nAAA\nAAA\n", "entry 2, duplicate"),
    ("symbol,from,to\nAAA,2025-06-03,2025-06-02\n", "entry 1, bad_time"), ("<html>", "not_data"),
    ("symbol,available_at\nAAA,2025-06-02T09:00:00\n", "entry 1, bad_time"),
])  # fmt: skip
def test_a_list_that_cannot_be_read_is_told_by_file_place_and_reason(
    body: str | None, words: str, tmp_path: Path
) -> None:
    file = tmp_path / "borrow.csv"
    if body is not None:
        file.write_text(body)
    chosen = settings.load({"borrow": {"file": str(file)}}, environment=OWN)
    with pytest.raises(SettingsError, match=words) as told:
        list(own_lists.deliveries(chosen, raw.Held(), NIGHT))
    assert str(file) in str(told.value)


@pytest.mark.parametrize(("body", "everybody_else"), [
    ("symbol\nAAA\n", False), ("symbol,borrowable\nAAA,no\n", True), ("symbol,borrowable\nAAA,no\nBBB,yes\n", False),
    ("symbol,borrowable\nAAA,no\n*,no\n", False), ("symbol\nAAA\n*\n", True),
])  # fmt: skip
def test_who_is_not_named(body: str, everybody_else: bool) -> None:
    table, rejects = borrow(body.encode(), "desk/borrow.csv")
    assert not rejects
    assert {row["name"]: row["borrowable"] for row in table.to_pylist()}["*"] is everybody_else
