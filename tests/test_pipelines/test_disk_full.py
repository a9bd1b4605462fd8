"""A disk that takes no more: a plain error, nothing half written that counts, and with room the same bytes as ever."""

import datetime as dt
import hashlib
import random
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipelines import durable, settings
from pipelines.home import Home
from pipelines.lake import raw
from pipelines.lake.ingest import ingest
from tests import OWN
from tests.test_pipelines import bodies

START = 1751256000000000000  # midnight of 30 June 2025 in New York


@contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    """As on a disk without room: a file that grows beyond so many bytes cannot be written."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_could_not_be_written_whole_leaves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "told.json"
    durable.write_atomic(file, b"before")
    with no_file_beyond(1000), pytest.raises(OSError):
        durable.write_atomic(file, b"x" * 2000)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"told.json": b"before"}


def tree(home: Path) -> dict[str, str]:
    files = (path for path in (home / "lake").rglob("*") if path.is_file())
    return {str(path.relative_to(home)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A packed body, of which the facts are larger than it, and a plain one."""
    folder, prices = tmp_path_factory.mktemp("source"), random.Random(1)
    tickers = [f"{a}{b}{c}" for a in "ABCDEFGHIJ" for b in "ABCDEFGHIJ" for c in "ABCDEFGHIJ"]
    told = {
        bodies.FLAT_DAYS_PATH: bodies.flat(*(f"{one},{round(prices.uniform(1, 1e6))},10,10,11,9,{START},{n}"
                                             for n, one in enumerate(tickers))),
        bodies.SPLITS_PATH: bodies.envelope([]),
    }
    for name, body in told.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(body)
    return folder


def take(source: Path, home: Path) -> None:
    now = dt.datetime(2025, 7, 1, 6, tzinfo=dt.UTC)
    ingest(settings.load({"home": str(home), "source": f"files:{source}"}, environment=OWN), Home(home), now)


def test_an_ingest_without_room_is_finished_by_the_next_one_with_room(source: Path, tmp_path: Path) -> None:
    take(source, tmp_path / "undisturbed")
    expected = tree(tmp_path / "undisturbed")
    packed = (source / bodies.FLAT_DAYS_PATH).stat().st_size
    for number, limit in enumerate((10, 2000, packed // 2, packed + 10)):  # the last one when all bodies are kept
        home = tmp_path / str(number)
        with no_file_beyond(limit), pytest.raises(OSError):
            take(source, home)
        assert len(raw.batches(Home(home))) <= 1
        take(source, home)
        assert tree(home) == expected, limit
