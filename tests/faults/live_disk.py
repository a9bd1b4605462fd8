"""`python -m tests.faults.live_disk`: power cuts and broken disks under the journal, from its own system calls.

A power cut keeps what was synced and any part of what was not: all prefixes, with unsynced writes lost, torn or
reordered. From each such disk the journal must open, hold its chain, and have every row that was acknowledged."""

import argparse
import datetime as dt
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from live.journal import Journal, JournalUnwritable
from tests.faults.syscalls import Call, told, traced

AT = dt.datetime(2025, 7, 1, 13, 0, tzinfo=dt.UTC)
FILES = ("j.sqlite", "j.sqlite-wal")
SECTOR = 512


def write_rows(path: Path, *, synced: bool = True) -> None:
    """Two lives of a writer: rows one by one, and a decision with its intents at once, each told when acknowledged."""
    for life in range(2):
        with Journal(path, ahead=True, synced=synced) as journal:
            for number in range(2):
                entry = journal.append("intent", AT.date(), AT, {"life": life, "number": number, "text": "x" * 900})
                told(entry.seq)
            with journal.transaction():
                for number in range(3):
                    entry = journal.append("intent", AT.date(), AT, {"life": life, "batch": number, "text": "y" * 900})
            told(entry.seq)


class Disk:
    """Files as they would be found after a power cut: what was synced, and what may or may not have got there."""

    def __init__(self) -> None:
        self.durable: dict[str, bytearray] = {}
        self.pending: list[Call] = []
        self.acknowledged = 0

    def take(self, call: Call) -> None:
        if call.kind == "ack":
            self.acknowledged = int(call.file)
        elif call.kind == "sync":
            for written in [one for one in self.pending if call.file in {"", one.file}]:
                if call.file or written.kind == "unlink":
                    _apply(self.durable, written)
                    self.pending.remove(written)
        elif call.file in FILES:
            self.pending.append(call)

    def cuts(self) -> Iterator[dict[str, bytearray]]:
        """Nothing of the pending, all of it, all but one, one alone, the first so many, and the last one torn."""
        count = len(self.pending)
        chosen = {(), tuple(range(count))}
        chosen |= {tuple(i for i in range(count) if i != out) for out in range(count)}
        chosen |= {(one,) for one in range(count)} | {tuple(range(upto)) for upto in range(count)}
        for some in sorted(chosen):
            yield self._with([self.pending[i] for i in some])
        if self.pending and self.pending[-1].kind == "write" and len(self.pending[-1].data) > SECTOR:
            last = self.pending[-1]
            yield self._with([*self.pending[:-1], Call("write", last.file, last.offset, last.data[:SECTOR])])

    def _with(self, some: list[Call]) -> dict[str, bytearray]:
        files = {name: bytearray(data) for name, data in self.durable.items()}
        for call in some:
            _apply(files, call)
        return files


def _apply(files: dict[str, bytearray], call: Call) -> None:
    if call.kind == "unlink":
        files.pop(call.file, None)
        return
    data = files.setdefault(call.file, bytearray())
    if call.kind == "truncate":
        del data[call.offset :]
        data.extend(b"\0" * (call.offset - len(data)))
        return
    end = call.offset + len(call.data)
    data.extend(b"\0" * (end - len(data)))
    data[call.offset : end] = call.data


def power_cuts(folder: Path, *, synced: bool = True) -> tuple[int, list[str]]:
    """(how many disks were tried, what was wrong with some of them). Without syncs the first loss is enough."""
    (folder / "work").mkdir(parents=True)
    calls, ended = traced(lambda: write_rows(folder / "work" / "j.sqlite", synced=synced), folder / "work")
    assert ended == 0, f"the work itself ended with {ended}"
    disk, tried, wrong = Disk(), set(), []
    for number, call in enumerate(calls):
        disk.take(call)
        for files in disk.cuts():
            state = (disk.acknowledged, *((name, bytes(data)) for name, data in sorted(files.items())))
            if state in tried:
                continue
            tried.add(state)
            problem = _opened(folder / "cut", files, disk.acknowledged)
            if problem:
                wrong.append(f"after call {number} ({call.kind} {call.file}): {problem}")
                if not synced:
                    return len(tried), wrong
    return len(tried), wrong


def _opened(folder: Path, files: dict[str, bytearray], acknowledged: int) -> str:
    """What is wrong with a journal that is found like this; a start must take it up and go on writing."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    try:
        with Journal(folder / "j.sqlite", ahead=True, synced=False) as journal:
            rows = journal.verify()
            journal.append("fill", AT.date(), AT, {})
    except (JournalUnwritable, RuntimeError, OSError) as problem:
        return f"it does not open: {problem}"
    return "" if rows >= acknowledged else f"row {acknowledged} was acknowledged and {rows} are there"


def broken_disks(folder: Path, step: int = 1) -> tuple[int, list[str]]:
    """Every call of the work fails once, with each error: it must end with a plain word, and leave a journal that holds
    what was acknowledged."""
    tried, wrong = 0, []
    for error in (errno.EIO, errno.ENOSPC):
        for nth in range(1 if error == errno.EIO else 1 + step // 2, 10_000, step):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            calls, ended = traced(lambda: _work(folder / "j.sqlite"), folder, nth, error)
            if not any(call.kind == "failed" for call in calls):
                break
            tried += 1
            name = f"{errno.errorcode[error]} at call {nth}"
            acknowledged = max([int(call.file) for call in calls if call.kind == "ack"], default=0)
            if ended not in {0, 3}:
                wrong.append(f"{name}: it ended with {ended} and no plain word")
            with Journal(folder / "j.sqlite", ahead=True, synced=False) as journal:
                rows = journal.verify()
            if rows < acknowledged:
                wrong.append(f"{name}: row {acknowledged} was acknowledged and {rows} are there")
    return tried, wrong


def _work(path: Path) -> None:
    """Ends with 3 and a sentence where the journal says that it cannot be written."""
    try:
        write_rows(path)
    except (JournalUnwritable, OSError) as problem:
        assert "cannot be written" in str(problem) or isinstance(problem, OSError)
        raise SystemExit(3) from None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only every twelfth call fails")
    step = 12 if parser.parse_args().quick else 1
    with tempfile.TemporaryDirectory() as made:
        folder = Path(os.path.realpath(made))
        disks, wrong = power_cuts(folder / "cuts")
        careless, lost = power_cuts(folder / "careless", synced=False)
        broken, faults = broken_disks(folder / "broken", step)
    print(f"{disks} disks after power cuts, {len(wrong)} wrong; without syncs {careless} are enough to lose a row; "
          f"{broken} calls failed, {len(faults)} badly")
    for line in wrong + faults:
        print(f"  {line}")
    raise SystemExit(1 if wrong or faults or not lost else 0)


if __name__ == "__main__":
    main()
