"""A folder as a source that somebody else has filled: whatever lies there, the good bodies are read and no other."""

import datetime as dt
import hashlib
import os
import socket
from pathlib import Path

import pytest

from pipelines import settings
from pipelines.home import Home
from pipelines.lake import raw
from pipelines.lake.facts import row_counts
from pipelines.lake.ingest import ingest
from pipelines.vendors import files
from pipelines.vendors.files import BadFolder, FilesTransport
from tests import OWN
from tests.test_pipelines import bodies
from tests.test_pipelines.bodies import bar, grouped
from tests.test_pipelines.lake_told import at

DAY, CHAINS = bodies.GROUPED_PATH, "cboe/options/AAPL"


def put(folder: Path, name: str, body: bytes = b"{}") -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(body)
    return file


def told(folder: Path) -> list[tuple[str, bytes]]:
    return [(one.path, one.body() if one.body else b"") for one in FilesTransport(folder).deliveries(at(5))]


def test_what_is_no_file_is_left_out_and_waits_for_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, DAY)
    for name in ("polygon", CHAINS):
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
    os.mkfifo(tmp_path / CHAINS / "pipe.json")
    (tmp_path / CHAINS / "folder.json").mkdir()
    (tmp_path / CHAINS / "broken.json").symlink_to(tmp_path / "nowhere")
    (tmp_path / CHAINS / "circle.json").symlink_to("circle.json")
    (tmp_path / CHAINS / "zero.json").symlink_to("/dev/zero")
    (tmp_path / CHAINS / "unreadable.json").symlink_to("/proc/self/mem")
    monkeypatch.chdir(tmp_path / CHAINS)  # A socket's address holds 107 bytes: the folder's own may take them all.
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.json")
        assert told(tmp_path) == [(DAY, b"{}")]
    said = capsys.readouterr().err
    for name in ("pipe", "broken", "circle", "zero", "unreadable", "socket"):
        assert f"{CHAINS}/{name}.json: left out" in said


def test_links_to_folders_are_followed_once_and_never_upwards(tmp_path: Path) -> None:
    source, elsewhere = tmp_path / "source", tmp_path / "elsewhere"
    put(source, f"{CHAINS}/1.json", b"1")
    put(elsewhere, "2.json", b"2")
    (elsewhere / "back").symlink_to(source / "cboe")
    options = source / "cboe" / "options"
    for name, to in {"A": elsewhere, "B": elsewhere, "C": tmp_path, "D": "/", "E": ".", "F": options / "AAPL"}.items():
        (options / name).symlink_to(to, target_is_directory=True)
    assert told(source) == [("cboe/options/A/2.json", b"2"), (f"{CHAINS}/1.json", b"1")]


def test_any_name_is_read_that_text_can_hold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["a b.json", "a\nb.json", "100%41.json", "ä.json", "'\";--.json", "-rf.json", "~.json", "a~b.json"]
    for name in names:
        put(tmp_path, f"{CHAINS}/{name}")
    put(tmp_path, f"{CHAINS.upper()}/1.json")
    with open(os.fsencode(tmp_path / CHAINS) + b"/\xff.json", "wb") as out:
        out.write(b"{}")
    assert sorted(path for path, _ in told(tmp_path)) == sorted(f"{CHAINS}/{name}" for name in names)
    said = capsys.readouterr().err
    assert "not in UTF-8" in said and "CBOE/OPTIONS/AAPL: 1 file skipped" in said


def test_later_bodies_are_counted_and_not_spelled(tmp_path: Path) -> None:
    for number in ("2", "10", "9", "02", "0", "1", "\u0663"):
        put(tmp_path, f"{DAY}~{number}", number.encode())
    put(tmp_path, DAY, b"first")
    in_order = [body.decode() for path, body in told(tmp_path) if path == DAY]
    assert in_order == ["0", "first", "1", "02", "2", "9", "10"]


def received(folder: Path, text: bytes) -> Path:
    return put(folder, files.RECEIVED, text)


STAMP = at(1).isoformat()


@pytest.mark.parametrize(
    "table",
    [
        f"\ufeffpath,received_at,sha256\r\n{DAY},{STAMP},\r\n",
        f"more,sha256,path,received_at\n1,,{DAY}, {STAMP} ,beyond,the header\n",
        f"path,received_at\n{DAY},{STAMP}\n{DAY},{STAMP}\n../../etc/passwd,{STAMP}\n/etc/passwd,{STAMP}\n,{STAMP}\n",
        f"path,received_at,sha256\n{DAY},{STAMP},{hashlib.sha256(b'{}').hexdigest().upper()}\n",
        f"path,received_at,sha256\n{DAY},{STAMP},\n{DAY},{at(9).isoformat()},\n{DAY},9999-12-31T23:59:59+00:00,\n",
    ],
    ids=["BOM and CRLF", "other columns", "twice, and what climbs", "hash in capitals", "rows of the future"],
)
def test_a_table_of_receipts_however_it_is_written(table: str, tmp_path: Path) -> None:
    put(tmp_path, DAY)
    received(tmp_path, table.encode())
    moments = {one.received_at for one in FilesTransport(tmp_path).deliveries(at(5))}
    assert moments == {at(1)}


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (f"path,received_at\n{DAY},{STAMP[:19]}\n".encode(), "line 2: received_at has no time zone"),
        (f"path,received_at\n{DAY},{STAMP}\n{DAY}\n".encode(), "line 3: path, received_at and sha256 are wanted"),
        (f"path,received_at\n{DAY},0001-01-01T00:00:00+14:00\n".encode(), "line 2: path"),
        (f"name,when\n{DAY},{STAMP}\n".encode(), "line 2: path"),
        (f"path,received_at\n{DAY},{STAMP}\n".encode("utf-16"), "no CSV in UTF-8"),
        (f'path,received_at\n"{DAY}'.encode() + b"x" * 200_000, "no CSV"),
    ],
    ids=["naive", "short", "before all time", "another table", "UTF-16", "a cell without end"],
)
def test_a_table_of_receipts_that_says_nothing_is_refused(table: bytes, words: str, tmp_path: Path) -> None:
    put(tmp_path, DAY)
    received(tmp_path, table)
    with pytest.raises(BadFolder, match=words):
        told(tmp_path)


def test_a_table_of_receipts_that_is_no_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / files.RECEIVED)
    with pytest.raises(BadFolder, match="is no file"):
        told(tmp_path)


def taken(folder: Path, home: Path) -> Home:
    lake = Home(home)
    now = dt.datetime(2025, 7, 1, 6, tzinfo=dt.UTC)
    ingest(settings.load({"home": str(home), "source": f"files:{folder}"}, environment=OWN), lake, now)
    return lake


def kept_right(lake: Home) -> bool:
    """Whether every body lies under its own hash."""
    held = [path for path in (lake.raw / "bodies").rglob("*") if path.is_file()]
    return all(hashlib.sha256(path.read_bytes()).hexdigest() == path.name for path in held)


@pytest.mark.parametrize("ending", ["changed", "gone"])
def test_what_changes_while_the_folder_is_read_stops_the_run_and_the_next_one_has_it(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, home = tmp_path / "source", tmp_path / "home"
    first, late = put(source, DAY, grouped(bar("AAA"))), put(source, bodies.SPLITS_PATH, bodies.envelope([]))
    read = files._sha256_of

    def and_then(file: Path, name: str) -> str | None:
        """The file is hashed, and before it is read somebody else is at it."""
        found = read(file, name)
        if file.name == late.name:
            late.write_bytes(b'{"results": [') if ending == "changed" else late.unlink()
        return found

    monkeypatch.setattr(files, "_sha256_of", and_then)
    with pytest.raises(BadFolder, match="run the same again"):
        taken(source, home)
    assert len(raw.batches(Home(home))) <= 1 and kept_right(Home(home))
    monkeypatch.undo()
    late.write_bytes(bodies.envelope([]))
    lake = taken(source, home)
    assert row_counts(lake)["equity_bars"] == 1 and kept_right(lake)
    assert first.read_bytes() == grouped(bar("AAA"))


def test_strange_names_and_empty_bodies_end_in_quarantine_and_not_the_night(tmp_path: Path) -> None:
    source = tmp_path / "source"
    put(source, DAY, grouped(bar("AAA")))
    empty = {f"{CHAINS}/a\nb.json", bodies.FLAT_DAYS_PATH, f"{bodies.FLAT_DAYS_PATH}~2.gz", "cboe/quotedata/100%.csv",
             bodies.INDEX_PATH, bodies.STATISTICS_PATH, bodies.TRADES_PATH}  # fmt: skip
    for name in empty:
        put(source, name, b"")
    lake = taken(source, tmp_path / "home")
    assert row_counts(lake)["equity_bars"] == 1
    import pyarrow.parquet as pq

    refused = [row for path in lake.quarantine.glob("*.parquet") for row in pq.read_table(path).to_pylist()]
    assert {row["path"] for row in refused} >= {f"{CHAINS}/a\nb.json", bodies.FLAT_DAYS_PATH, bodies.TRADES_PATH}
    assert {row["reason"] for row in refused} <= {"truncated", "not_data", "schema_drift", "missing_field"}


def test_a_body_larger_than_any_is_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path, DAY)
    huge = put(tmp_path, f"{CHAINS}/huge.json")
    os.truncate(huge, 3 << 30)  # without a byte on the disk
    assert [path for path, _ in told(tmp_path)] == [DAY]
    assert "more than 1024 MB" in capsys.readouterr().err
