"""A server that says bytes as they are, for answers that no library for servers would give."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Say = Callable[[socket.socket, threading.Event], None]  # the event is set when nobody listens any more


@contextmanager
def spoken(say: Say) -> Iterator[str]:
    """Each connection is read up to the end of a question's head and then given to `say`, again and again."""
    over = threading.Event()
    threads: list[threading.Thread] = []

    def talk(line: socket.socket) -> None:
        with line:
            try:
                while not over.is_set():
                    head = b""
                    while b"\r\n\r\n" not in head:
                        part = line.recv(65_536)
                        if not part:
                            return
                        head += part
                    say(line, over)
            except OSError:
                return  # the other side has gone, which is its right

    with socket.create_server(("127.0.0.1", 0)) as listening:

        def welcome() -> None:
            while True:
                line, _ = listening.accept()
                if over.is_set():
                    line.close()
                    return
                threads.append(threading.Thread(target=talk, args=(line,), daemon=True))
                threads[-1].start()

        welcoming = threading.Thread(target=welcome)
        welcoming.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            over.set()
            socket.create_connection(listening.getsockname()).close()
            welcoming.join()
            for thread in threads:
                thread.join(5)
