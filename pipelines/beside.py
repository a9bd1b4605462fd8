"""A second process beside this one: where two cores are, independent calls of one step are shared out among both.

What a call answers does not hang on who makes it, and answers come in the order of the calls. Nothing is written there.
The process ends with this one, however this one ends: what it hears through is then closed, and it waits for no one.
"""

import atexit
import contextlib
import importlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any

Call = Callable[[], tuple[Callable[..., Any], tuple[Any, ...]]]  # a function of a module, and what to give it
_helper: "_Helper | None" = None


class _Helper:
    """The other process, and the line to it. One call at a time."""

    def __init__(self) -> None:
        self._process, self._line = process(__name__)
        self.busy = threading.Lock()

    def ask(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        try:
            self._line.send((function.__module__, function.__qualname__, arguments))
            answered, told = self._line.recv()
        except (EOFError, OSError):  # somebody ended it; what it was asked can be answered here as well
            return _here(function, arguments)
        if not answered:
            raise told
        return told

    def warm(self, modules: Sequence[str]) -> None:
        """Import these while nobody waits."""
        with contextlib.suppress(OSError):
            self._line.send((None, None, tuple(modules)))

    def end(self) -> None:
        self._line.close()
        self._process.kill()
        self._process.wait()


def process(module: str) -> tuple[subprocess.Popen[bytes], Connection]:
    """A process that runs this module, and our end of the line that it takes up by `line()`.

    It has a session of its own: Ctrl-C is for the process that was asked; its end, of any kind, closes the line."""
    ours, theirs = socket.socketpair()
    with theirs:
        begun = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", module, str(theirs.fileno())], pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
    return begun, Connection(ours.detach())


def line() -> Connection:
    """In such a process: its end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return Connection(int(sys.argv[1]))


def heard(line: Connection) -> SimpleQueue[Any]:
    """In such a process: what comes in. When the line is closed it ends at once, whatever it is doing."""
    asked: SimpleQueue[Any] = SimpleQueue()

    def listen() -> None:
        try:
            while True:
                asked.put(line.recv())
        finally:
            os._exit(0)

    threading.Thread(target=listen, name="heard", daemon=True).start()
    return asked


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def start(modules: Sequence[str] = ()) -> None:
    """Have the other process there, and these modules loaded in it, before it is needed."""
    global _helper
    if _helper is None and cores() > 1:
        _helper = _Helper()
        atexit.register(end)
        _helper.warm(modules)


def end() -> None:
    """Give back its memory."""
    global _helper
    if _helper is not None:
        atexit.unregister(end)
        _helper.end()
        _helper = None


def _here(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    return function(*arguments)


def alone(calls: Sequence[Call]) -> Iterator[Any]:
    """The same, made here one after the other."""
    for call in calls:
        yield _here(*call())


def shared(calls: Sequence[Call]) -> Iterator[Any]:
    """Answers in the order of the calls; each is made here or in the other process, whichever comes to it first."""
    start()
    helper = _helper
    if helper is None or len(calls) < 2 or not helper.busy.acquire(blocking=False):
        yield from alone(calls)
        return
    waiting, answers, come = iter(range(len(calls))), dict[int, tuple[bool, Any]](), threading.Condition()

    def take() -> int | None:
        with come:
            return next(waiting, None)

    def answer(at: int, ask: Callable[[Callable[..., Any], tuple[Any, ...]], Any]) -> None:
        try:
            told = True, ask(*calls[at]())
        except Exception as problem:  # raised where its turn is
            told = False, problem
        with come:
            answers[at] = told
            come.notify()

    def hand_over() -> None:
        while (at := take()) is not None:
            answer(at, helper.ask)

    thread = threading.Thread(target=hand_over, name="beside", daemon=True)
    thread.start()
    try:
        for wanted in range(len(calls)):
            while wanted not in answers and (at := take()) is not None:
                answer(at, _here)
            with come:
                while wanted not in answers:
                    come.wait()
                answered, told = answers.pop(wanted)
            if not answered:
                raise told
            yield told
    finally:
        while take() is not None:  # whoever leaves early wants no more
            pass
        thread.join()
        helper.busy.release()


def _serve(line: Connection) -> None:
    """The other process: answer until the line is closed."""
    asked = heard(line)
    while True:
        module, name, arguments = asked.get()
        if module is None:
            for one in arguments:
                with contextlib.suppress(ImportError):  # whoever needs it will say so
                    importlib.import_module(one)
            continue
        try:
            function: Any = importlib.import_module(module)
            for part in name.split("."):
                function = getattr(function, part)
            line.send((True, function(*arguments)))
        except BrokenPipeError:
            os._exit(0)
        except Exception as problem:
            line.send((False, problem))


if __name__ == "__main__":
    _serve(line())
