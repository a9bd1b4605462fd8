"""Ctrl-C that is always heard. Python raises it inside whatever runs just then, and libraries delay or lose it."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

QUIET = "ignore:resource_tracker:UserWarning"
ENDING = {signal.SIGINT, signal.SIGTERM}


@contextmanager
def ends_at_once(last_words: str) -> Iterator[None]:
    """While this is open, Ctrl-C and TERM say `last_words` and end the process. For work that survives any kill.

    What the main thread starts meanwhile does not hear Ctrl-C: Dagster's watchers, which end with us, had tracebacks to
    show above our words."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may listen for signals
        return
    if QUIET not in sys.warnoptions:  # heard by the tracker of shared locks, which warns of those of who ended at once
        sys.warnoptions.append(QUIET)
    # The screen as it is now: while a job runs, Dagster shows standard error through a process that Ctrl-C ends too.
    screen = os.dup(2)
    heard, told = socket.socketpair()
    told.setblocking(False)
    before = signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)

    def listen() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        while numbers := heard.recv(64):
            for number in ENDING & set(numbers):
                os.write(screen, f"{last_words}\n".encode())
                os._exit(128 + number)

    listener = threading.Thread(target=listen, name="ctrl-c", daemon=True)
    listener.start()
    masked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, masked)
        signal.set_wakeup_fd(before)
        told.close()
        listener.join()
        heard.close()
        os.close(screen)
