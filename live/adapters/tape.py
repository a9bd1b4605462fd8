"""A recorded session as a feed: Parquet minute bars sorted by their start, with the session's actions beside them."""

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from live.adapters.depth import SUFFIX, Depth
from live.ports import Action, Bar, Columns

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
    """One Parquet file, or a folder of them. Bars of several sessions may share a file. `depth` is the order books that
    lie beside a single file."""

    def __init__(self, path: Path) -> None:
        files = [file for file in sorted(path.glob("*.parquet")) if not file.name.endswith(SUFFIX)] if path.is_dir() \
            else [path]
        if not files or not all(file.is_file() for file in files):
            raise TapeError(f"no tape at {path}: give a Parquet file of minute bars, or a folder of them")
        self.depth = Depth.beside(path)
        self._told: dict[dt.date, tuple[Columns, slice]] = {}
        self._actions: dict[dt.date, list[Action]] = {}
        for file in files:
            table = pq.ParquetFile(file).read()
            missing = set(COLUMNS) - set(table.column_names)
            if missing:
                raise TapeError(f"{file} is no tape: it lacks {', '.join(sorted(missing))}")
            for day, known in json.loads((table.schema.metadata or {}).get(ACTIONS, b"{}")).items():
                self._actions[dt.date.fromisoformat(day)] = [
                    Action(name, dt.date.fromisoformat(ex_date), kind, amount) for name, ex_date, kind, amount in known]
            if any(table[name].null_count for name in COLUMNS[:4]):
                raise TapeError(f"{file} is no tape: some of its bars have no name, session or start")
            for session, rows, told in _by_session(table):
                if session in self._told:
                    raise TapeError(f"{path} holds session {session} twice")
                self._told[session] = told, rows

    def sessions(self) -> list[dt.date]:
        return sorted(self._told)

    def actions(self, session: dt.date) -> list[Action]:
        """Known when this session is decided, its own and late ones. Not to apply one twice is the engine's work."""
        return [action for action in self._actions.get(session, []) if action.ex_date <= session]

    def bars(self, session: dt.date) -> Iterator[Bar]:
        told = self.columns(session)
        if (told.start_us[1:] < told.start_us[:-1]).any():
            raise TapeError(f"the tape of {session} is not sorted by bar_start")
        names = map(told.names.__getitem__, told.which.tolist())
        return map(Bar._make, zip(names, *(column.tolist() for column in told[2:]), strict=True))

    def columns(self, session: dt.date) -> Columns:
        """The same bars at once."""
        told, rows = self._told[session]
        return Columns(told.names, told.which[rows], told.start_us[rows], told.open[rows], told.high[rows],
                       told.low[rows], told.close[rows], told.volume[rows])


def _by_session(table: pa.Table) -> Iterator[tuple[dt.date, slice, Columns]]:
    """Each session's rows of a file, and the file's columns; a missing number is NaN."""
    days = table["session"].to_numpy()
    if (days[1:] < days[:-1]).any():  # told in whatever order: each session's bars stay in theirs
        order = np.argsort(days, kind="stable")
        table, days = table.take(pa.array(order)), days[order]
    which = table["instrument_id"].dictionary_encode().unify_dictionaries().combine_chunks()
    figures = (np.asarray(table[name].to_numpy(), np.float64) for name in COLUMNS[4:])
    told = Columns(tuple(which.dictionary.to_pylist()), which.indices.to_numpy().astype(np.int64),
                   table["bar_start"].cast(pa.int64()).to_numpy(), *figures)
    edges = [0, *(np.flatnonzero(days[1:] != days[:-1]) + 1).tolist(), len(days)]
    for first, last in pairwise(edges) if len(days) else ():
        yield days[first].astype(object), slice(first, last), told
