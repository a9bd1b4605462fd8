"""The kill switch: thrown by a file, a signal or the API, from outside the process and without its help."""

import itertools
import os
import signal
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from types import FrameType

SIGNALS = {"halt": signal.SIGUSR1, "flatten": signal.SIGUSR2}


_writes = itertools.count()  # API, signal and watchdog may write at once: none may take another's file


class KillMode(StrEnum):
    HALT = "halt"  # cancel everything, send nothing; positions stay
    FLATTEN = "flatten"  # cancel everything, send only what reduces until flat, then halt


class KillSwitch:
    """Thrown while its file is there, or once told to be. The file's first word is the mode; any other is a halt."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._told: tuple[KillMode, str] | None = None

    def thrown(self) -> tuple[KillMode, str] | None:
        """The mode, and by what. The file has the last word; not being able to look at it is a halt."""
        if self._file is not None:
            try:
                os.lstat(self._file)
                return _mode_in(self._file), f"kill file {self._file.name}"
            except FileNotFoundError:
                pass
            except OSError:
                return KillMode.HALT, f"kill file {self._file.name}"
        return self._told

    def throw(self, mode: KillMode, by: str) -> None:
        """Throw it for this process and, by its file, for every later one. It holds even where the disk is full."""
        self._told = (mode, by)
        if self._file is not None:
            write_kill_file(self._file, mode, by)

    def listen(self) -> None:
        """SIGUSR1 halts, SIGUSR2 flattens. SIGTERM only ends the process, which loses nothing."""
        for mode, number in SIGNALS.items():
            signal.signal(number, self._on_signal(KillMode(mode), number))

    def _on_signal(self, mode: KillMode, number: signal.Signals) -> Callable[[int, FrameType | None], None]:
        def handle(_signal: int, _frame: FrameType | None) -> None:
            try:
                self.throw(mode, f"signal {number.name}")
            except OSError:
                pass  # thrown for this process all the same

        return handle


def _mode_in(file: Path) -> KillMode:
    handle = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    try:
        words = os.read(handle, 64).split()
    finally:
        os.close(handle)
    return KillMode.FLATTEN if words[:1] == [b"flatten"] else KillMode.HALT


def write_kill_file(file: Path, mode: KillMode, by: str) -> None:
    """Durable when this returns: a halt that a power cut forgets is none."""
    staged = file.with_name(f".{file.name}.{os.getpid()}.{next(_writes)}")
    with open(staged, "w") as out:
        out.write(f"{mode} {by}\n")
        out.flush()
        os.fsync(out.fileno())
    os.replace(staged, file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def killed(kill_file: Path | None) -> bool:
    """Whether the switch's file is thrown, in whatever mode."""
    return KillSwitch(kill_file).thrown() is not None
