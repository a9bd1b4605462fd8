"""The web socket: what happens, as it happens, numbered so that a watcher who comes back misses nothing."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from live import canonical
from live.hub import Event
from live.journal import Entry
from live.now import brief
from live.view import View

LOOK_S = 0.2
WRITE_S = 5.0  # a watcher who does not read for so long is let go
MOST = 500  # events in one message


class Events(Protocol):
    @property
    def newest(self) -> int: ...

    def since(self, number: int, most: int = MOST) -> list[Event]: ...

    def recent(self, count: int) -> list[Event]: ...


class JournalEvents:
    """The rows of a journal that another process writes, numbered as it numbers them. It tells no bars."""

    def __init__(self, view: View) -> None:
        self._view = view

    @property
    def newest(self) -> int:
        return self._view.rows_newest()

    def since(self, number: int, most: int = MOST) -> list[Event]:
        return [as_event(entry.seq, entry) for entry in self._view.rows_since(number, most)]


    def recent(self, count: int) -> list[Event]:
        return self.since(max(0, self.newest - count), count)


def as_event(number: int, entry: Entry) -> Event:
    return {"n": number, "kind": entry.kind, "seq": entry.seq, "session": entry.session, "at": entry.at,
            "told": brief(entry)}


async def pour(events: Events, since: int | None, send: Callable[[str], Any], gone: asyncio.Event, *, last: int = 0,
               bars: bool = True) -> None:
    """Send what comes after event `since`, or what is new and the `last` ones before it, until the watcher is gone. A
    message is a list."""
    number = events.newest if since is None else since
    before = await asyncio.to_thread(events.recent, last) if since is None and last else []
    await _sent(send, canonical.text(spoken([*(one for one in before if one["n"] <= number),
                                             {"n": number, "kind": "hello"}])))
    while not gone.is_set():
        found = await asyncio.to_thread(events.since, number)
        if found:
            number = found[-1]["n"]
            if told := [one for one in found if bars or one["kind"] != "bar"]:
                await _sent(send, canonical.text(spoken(told)))
            continue
        try:
            await asyncio.wait_for(gone.wait(), LOOK_S)
        except TimeoutError:
            pass


async def _sent(send: Callable[[str], Any], text: str) -> None:
    async with asyncio.timeout(WRITE_S):
        await send(text)


def spoken(value: Any) -> Any:
    """Any document as JSON can hold it."""
    if isinstance(value, float):
        return canonical.plain(value)
    if isinstance(value, dict):
        return {key: spoken(one) for key, one in value.items()}
    return [spoken(one) for one in value] if isinstance(value, (list, tuple)) else value
