"""A recorded session as a feed: Parquet minute bars sorted by their start, with the session's actions beside them."""

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from live.ports import Action, Bar

ACTIONS = b"nightdesk.actions"  # schema metadata: JSON {session: [[instrument_id, ex_date, kind, amount], …]}
COLUMNS = ("instrument_id", "symbol", "session", "bar_start", "open", "high", "low", "close", "volume")


class TapeError(ValueError):
    """The tape is not one: what is wrong, and where."""


def schema(actions: Mapping[dt.date, Sequence[Action]]) -> pa.Schema:
    """The schema of a tape that carries what was known of actions when each session was decided."""
    text = json.dumps({day.isoformat(): [[a.instrument_id, a.ex_date.isoformat(), a.kind, a.amount] for a in known]
                       for day, known in sorted(actions.items())})
    kinds: list[pa.DataType] = [pa.string(), pa.string(), pa.date32(), pa.timestamp("us", tz="UTC")]
    kinds += [pa.float64()] * 5
    return pa.schema(list(zip(COLUMNS, kinds, strict=True)), metadata={ACTIONS: text.encode()})


class TapeFeed:
    """One Parquet file, or a folder of them. Bars of several sessions may share a file."""

    def __init__(self, path: Path) -> None:
        files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
        if not files or not all(file.is_file() for file in files):
            raise TapeError(f"no tape at {path}: give a Parquet file of minute bars, or a folder of them")
        self._tables: dict[dt.date, pa.Table] = {}
        self._actions: dict[dt.date, list[Action]] = {}
        for file in files:
            table = pq.ParquetFile(file).read()
            missing = set(COLUMNS) - set(table.column_names)
            if missing:
                raise TapeError(f"{file} is no tape: it lacks {', '.join(sorted(missing))}")
            for day, known in json.loads((table.schema.metadata or {}).get(ACTIONS, b"{}")).items():
                self._actions[dt.date.fromisoformat(day)] = [
                    Action(name, dt.date.fromisoformat(ex_date), kind, amount) for name, ex_date, kind, amount in known]
            for session in cast(list[dt.date], pc.unique(table["session"]).to_pylist()):
                if session in self._tables:
                    raise TapeError(f"{path} holds session {session} twice")
                self._tables[session] = table.filter(pc.equal(table["session"], pa.scalar(session)))

    def sessions(self) -> list[dt.date]:
        return sorted(self._tables)

    def actions(self, session: dt.date) -> list[Action]:
        """Known when this session is decided, its own and late ones. Not to apply one twice is the engine's work."""
        return [action for action in self._actions.get(session, []) if action.ex_date <= session]

    def bars(self, session: dt.date) -> Iterator[Bar]:
        table = self._tables[session]
        starts = table["bar_start"].cast(pa.int64())
        if pc.any(pc.less(starts[1:], starts[:-1])).as_py():
            raise TapeError(f"the tape of {session} is not sorted by bar_start")
        columns = [table["instrument_id"], starts, *(table[name] for name in COLUMNS[4:])]
        return map(Bar._make, zip(*(column.to_pylist() for column in columns), strict=True))
