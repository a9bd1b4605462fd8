"""The journal keeps what it was told, shows what was changed, and has one writer."""

import datetime as dt
import math
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live import canonical
from live.journal import Journal, JournalBroken, JournalBusy

AT = dt.datetime(2025, 7, 1, 13, 0, tzinfo=dt.UTC)
DAY = dt.date(2025, 7, 1)


def filled(path: Path) -> Path:
    with Journal(path) as journal:
        for number in range(5):
            journal.append("fill", DAY, AT, {"number": number, "price": 0.1 + number})
    return path


def tamper(path: Path, statement: str) -> None:
    """What someone with the file and no scruples can do: the triggers go first."""
    db = sqlite3.connect(path, isolation_level=None)
    for trigger in ("entries_stand", "entries_stay"):
        db.execute(f"DROP TRIGGER {trigger}")
    db.execute(statement)
    db.close()


def test_rows_come_back_in_order_and_the_chain_holds(tmp_path: Path) -> None:
    with Journal(filled(tmp_path / "j.sqlite")) as journal:
        assert [entry.payload["number"] for entry in journal.entries("fill", DAY)] == [0, 1, 2, 3, 4]
        assert journal.verify() == 5
        last = journal.last("fill")
        assert last is not None and (last.seq, last.hash) == journal.head()


@pytest.mark.parametrize("statement", ["UPDATE entries SET payload = '{}' WHERE seq = 2", "DELETE FROM entries"])
def test_rows_cannot_be_changed_or_taken_out(tmp_path: Path, statement: str) -> None:
    db = sqlite3.connect(filled(tmp_path / "j.sqlite"), isolation_level=None)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        db.execute(statement)
    db.close()


@pytest.mark.parametrize(
    "statement",
    ["UPDATE entries SET payload = '{\"number\":1,\"price\":9.9}' WHERE seq = 2", "DELETE FROM entries WHERE seq = 2",
     "UPDATE entries SET at = '2025-07-01T13:01:00+00:00' WHERE seq = 2", "UPDATE entries SET seq = 9 WHERE seq = 2"],
)
def test_a_forged_row_is_named(tmp_path: Path, statement: str) -> None:
    tamper(filled(tmp_path / "j.sqlite"), statement)
    journal = Journal(tmp_path / "j.sqlite", read_only=True)
    with pytest.raises(JournalBroken, match=r"row [23]"):
        journal.verify()
    journal.close()


def test_a_second_writer_is_refused_and_a_reader_is_not(tmp_path: Path) -> None:
    with Journal(filled(tmp_path / "j.sqlite")):
        with pytest.raises(JournalBusy, match="another runner"):
            Journal(tmp_path / "j.sqlite")
        reader = Journal(tmp_path / "j.sqlite", read_only=True)
        assert reader.verify() == 5
        reader.close()


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with Journal(filled(tmp_path / "j.sqlite")) as journal:
        before = journal.head()
        with pytest.raises(RuntimeError), journal.transaction():
            journal.append("fill", DAY, AT, {"number": 6})
            raise RuntimeError("killed")
        assert journal.head() == before


def test_rows_are_on_disk_before_anyone_acts_on_them(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.sqlite") as journal:
        assert journal._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert journal._db.execute("PRAGMA synchronous").fetchone() == (2,)


@given(st.lists(st.floats(width=64), max_size=20))
def test_floats_come_back_bit_for_bit(values: list[float]) -> None:
    array = np.array(values, dtype=np.float64)
    back = canonical.unpacked(canonical.packed(array))
    quiet = np.where(np.isnan(array), math.nan, array)
    assert back.tobytes() == quiet.tobytes()
    assert canonical.text(canonical.packed(back)) == canonical.text(canonical.packed(array))


def test_a_backtests_journal_is_the_same_one(tmp_path: Path) -> None:
    """What it remembers and puts off shows in nothing that it answers, and not in the file that it leaves."""
    told = []
    for name, synced in (("live", True), ("tape", False)):
        path, seen = tmp_path / f"{name}.sqlite", []
        with Journal(path, synced=synced, recall=("close",)) as journal:
            for day in range(4):
                with journal.transaction():
                    seen.append([journal.last(kind) for kind in ("close", "state", "bars")])
                    for number in range(day):
                        journal.write("fill", DAY, AT, {"number": number})
                    journal.write("bars", DAY, AT, {"day": day, "at": [1.5, None]})
                    if day == 2:
                        seen.append([journal.last("bars"), *journal.entries("fill"), journal.count("fill")])
                    journal.write("close", DAY, AT, {"equity": 0.1 + day})
                with pytest.raises(ZeroDivisionError), journal.transaction():
                    journal.write("close", DAY, AT, {"equity": 1 / 0 if day % 2 else 9.0})
                    journal.append("state", DAY, AT, {"equity": 1 / 0})
            seen.append([journal.head(), journal.verify(), *journal.recent(("bars", "close"), 3), *journal.entries()])
        assert not path.with_name(f"{name}.sqlite-journal").exists()
        db = sqlite3.connect(path)
        seen.append(db.execute("SELECT name FROM sqlite_master ORDER BY name").fetchall())
        db.close()
        told.append(seen)
    assert told[0] == told[1]
    assert len(told[0][-1]) > 3


def test_a_rest_puts_the_log_away_and_a_decision_never_does(tmp_path: Path) -> None:
    """What the file alone holds, without the log beside it, is what was put away."""
    def put_away() -> int:
        alone = tmp_path / "alone.sqlite"
        alone.write_bytes((tmp_path / "j.sqlite").read_bytes())
        db = sqlite3.connect(alone)
        try:
            return int(db.execute("SELECT count(*) FROM entries").fetchone()[0])
        finally:
            db.close()

    with Journal(tmp_path / "j.sqlite") as journal:
        for decisions in (1, 2):
            with journal.transaction():
                for number in range(600):
                    journal.write("order_intent", DAY, AT, {"number": number})
                journal.rest()  # in the midst of one nothing is done
            assert put_away() == (decisions - 1) * 600
            journal.rest()
            assert put_away() == decisions * 600
        journal.append("fill", DAY, AT, {"number": 1})
        journal.rest()  # for a row or two it is not worth a wait
        assert put_away() == 1200 and journal.verify() == 1201
