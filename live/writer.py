"""One writer a journal: an exclusive lock held for life, and a word about who holds it."""

import fcntl
import os
import socket
from pathlib import Path


class JournalBusy(RuntimeError):
    """Another process writes this journal."""


class WriterLock:
    """Taken when made, or JournalBusy. The kernel gives it back when the process ends, however it ends."""

    def __init__(self, journal: Path) -> None:
        self._journal, self._path = journal, journal.with_name(journal.name + ".lock")
        self._file = open(self._path, "a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.seek(0)
            holder = self._file.read(200).strip()
            self._file.close()
            raise JournalBusy(f"{journal} is being written by another runner{_described(holder)}; "
                              "only one may trade an account") from None
        self._file.truncate(0)
        self._file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        self._file.flush()

    def check(self) -> None:
        """Whoever removed the lock's file made room for a second writer: this one stops."""
        mine = os.fstat(self._file.fileno())
        try:
            there = os.stat(self._path)
            replaced = (there.st_dev, there.st_ino) != (mine.st_dev, mine.st_ino)
        except FileNotFoundError:
            replaced = True
        if replaced:
            raise JournalBusy(f"{self._path} was removed or replaced while this runner held it: another one may be "
                              "trading the account, so this one stops")

    def release(self) -> None:
        self._file.close()


def _described(holder: str) -> str:
    """Who it is, and whether it is asleep: a stopped process keeps its lock."""
    if not holder:
        return ""
    words = holder.split()
    try:
        state = Path(f"/proc/{words[1]}/stat").read_text().rpartition(")")[2].split()[0] if words[-1] == \
            socket.gethostname() else ""
    except (OSError, IndexError):
        state = ""
    return f" ({holder}{', which is stopped: continue it or end it' if state == 'T' else ''})"
