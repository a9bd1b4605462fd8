"""Databases of libraries under a home wait for the disk once; what they were told is there when the work ends."""

import os
import shutil
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from pipelines.libraries_sqlite import eased, settled


def _told(engine: sa.Engine) -> list[int]:
    with engine.begin() as connection:
        return [row[0] for row in connection.execute(sa.text("SELECT n FROM seen ORDER BY n"))]


def test_commits_stay_in_one_log_and_are_on_disk_at_the_end(tmp_path: Path) -> None:
    file = tmp_path / "home" / "events.db"
    file.parent.mkdir()
    engine = sa.create_engine(f"sqlite:///{file}", poolclass=NullPool)  # a connection for each, as Dagster has it
    with eased(file.parent):
        with engine.begin() as connection:
            connection.execute(sa.text("CREATE TABLE seen (n INTEGER)"))
        for number in range(3):
            with engine.begin() as connection:
                assert connection.execute(sa.text("PRAGMA synchronous")).scalar() == 1
                connection.execute(sa.text(f"INSERT INTO seen VALUES ({number})"))
            assert file.with_name("events.db-wal").stat().st_size > 0  # no close was the last
        assert _told(engine) == [0, 1, 2]
    alone = Path(shutil.copy(file, tmp_path / "alone.db"))
    with sqlite3.connect(alone) as copied:
        assert copied.execute("SELECT count(*) FROM seen").fetchone() == (3,)
    copied.close()


def test_files_elsewhere_and_later_connections_are_left_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    elsewhere = sa.create_engine(f"sqlite:///{tmp_path / 'other.db'}", poolclass=NullPool)
    inside = sa.create_engine(f"sqlite:///{tmp_path / 'home' / 'mine.db'}", poolclass=NullPool)
    with eased(tmp_path / "home"), elsewhere.begin() as connection:
        assert connection.execute(sa.text("PRAGMA journal_mode")).scalar() == "delete"
    with inside.begin() as connection:
        assert connection.execute(sa.text("PRAGMA synchronous")).scalar() == 2


def test_what_is_told_elsewhere_as_done_is_synced_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, synced, really = tmp_path / "home", [], os.fsync
    home.mkdir()
    engine = sa.create_engine(f"sqlite:///{home / 'mine.db'}", poolclass=NullPool)
    with eased(home):
        with engine.begin() as connection:
            connection.execute(sa.text("CREATE TABLE told (what TEXT)"))
        monkeypatch.setattr(os, "fsync", lambda fd: synced.append(os.readlink(f"/proc/self/fd/{fd}")) or really(fd))
        settled(home / "mine.db")
    assert synced == [f"{home}/mine.db", f"{home}/mine.db-wal", str(home)]
