"""Ctrl-C that is always heard. Python raises it inside whatever runs just then, and libraries delay or lose it."""

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pipelines.progress import say

EXIT_CODE = 128 + signal.SIGINT


@contextmanager
def ends_at_once(last_words: str) -> Iterator[None]:
    """While this is open, Ctrl-C says `last_words` and ends the process. For work that may be killed anywhere."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may listen for signals
        return
    heard, told = socket.socketpair()
    told.setblocking(False)
    before = signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)

    def listen() -> None:
        while numbers := heard.recv(64):
            if signal.SIGINT in numbers:
                say(last_words)
                os._exit(EXIT_CODE)

    listener = threading.Thread(target=listen, name="ctrl-c", daemon=True)
    listener.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        told.close()
        listener.join()
        heard.close()
