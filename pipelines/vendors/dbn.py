"""Databento's streams: metadata, then records that each say their length and kind, of one schema or of several."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.vendors import times
from pipelines.vendors.contents import TEXT_LIMIT, Unusable, unpacked
from pipelines.vendors.parsing import Reject

Places = npt.NDArray[np.int64]
UNDEFINED_PRICE = np.int64(2**63 - 1)
UNDEFINED_TIME = np.uint64(2**64 - 1)
OURS = "GLBX."  # of the data sets' names: the exchange's own feed
_MAPPING = 22  # rtype of a record that names an instrument
_HEADER = 16
_STAMP = 8  # a live client may add to each record when it was sent


@cache
def layout(name: str) -> np.dtype[Any]:
    """How the vendor's library lays out a kind of record."""
    import databento_dbn

    return np.dtype(getattr(databento_dbn, name)._dtypes)


class Stream:
    """A body's records. A kind of record is asked for by number, so that a file may hold any mixture of them."""

    def __init__(self, body: bytes) -> None:
        content = unpacked(body)
        if content[:3] != b"DBN":
            raise Unusable("not_data", content[:60].decode("utf-8", "replace"))
        if len(content) < 8 or len(content) < (start := 8 + int.from_bytes(content[4:8], "little")):
            raise Unusable("truncated", "the stream ends within its metadata")
        import databento_dbn

        try:
            self.metadata = databento_dbn.Metadata.decode(content[:start])
        except BaseException as error:  # the decoder's own panics are no Exception
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
            raise Unusable("not_data", f"unreadable metadata: {error}"[:TEXT_LIMIT]) from None
        dataset = str(self.metadata.dataset)
        if dataset and not dataset.startswith(OURS):
            raise Unusable("unknown_instrument", f"{dataset} is no data set of CME's: none of it is a future here")
        self.body = content[start:]
        self._even = self._evenly()  # all records are as long as the first, and lie in a table as they are
        self._starts = np.zeros(0, np.int64) if self._even is not None else _walked(self.body)
        self._bytes = np.frombuffer(self.body, np.uint8)
        self._kinds = self._byte(np.arange(len(self._starts)), 1) if self._even is None else self._even[:, 1]
        self.count = len(self._kinds)

    @classmethod
    def of(cls, body: "bytes | Stream") -> "Stream":
        return body if isinstance(body, Stream) else cls(body)

    def _evenly(self) -> npt.NDArray[np.uint8] | None:
        length = self.body[0] * 4 if self.body else _HEADER
        if length < _HEADER or len(self.body) % length:
            return None
        table = np.frombuffer(self.body, np.uint8).reshape(-1, length)
        return table if bool((table[:, 0] == length // 4).all()) else None

    def pick(
        self, kinds: Sequence[int], *layouts: np.dtype[Any], only: tuple[int, bytes] | None = None
    ) -> list[tuple[npt.NDArray[Any], Places]]:
        """The records of these kinds, and where in the stream each stands; one array a layout, told by its length.
        `only` asks for a letter at a byte of the record. Nothing is copied of a stream that holds nothing else."""
        found = []
        for one in layouts:
            places = np.flatnonzero(np.isin(self._kinds, kinds) & self._as_long_as(one))
            if only is not None and len(places):  # the records of others may be shorter than that byte
                places = places[self._byte(places, only[0]) == only[1][0]]
            as_it_is = self._even is not None and self._even.shape[1] == one.itemsize and len(places) == self.count
            content = self.body if as_it_is else self._joined(places, one.itemsize)
            found.append((np.frombuffer(content, dtype=one), places))
        return found

    def together(
        self, kinds: Sequence[int], layouts: Sequence[np.dtype[Any]],
        common: Callable[[npt.NDArray[Any]], npt.NDArray[Any]],
    ) -> tuple[npt.NDArray[Any], Places]:  # fmt: skip
        """The same of several layouts as one array in the stream's order; `common` gives each the same fields."""
        parts = self.pick(kinds, *layouts)
        records = np.concatenate([common(part) for part, _ in parts])
        places = np.concatenate([at for _, at in parts])
        order = np.argsort(places)
        return records[order], places[order]

    def misfits(self, kinds: Sequence[int], *layouts: np.dtype[Any]) -> list[Reject]:
        """Records of these kinds that are as long as no layout of theirs."""
        wrong = np.isin(self._kinds, kinds)
        for one in layouts:
            wrong &= ~self._as_long_as(one)
        return [Reject("bad_type", int(at), f"a record of kind {self._kinds[at]}, as long as none of that kind is")
                for at in np.flatnonzero(wrong)]  # fmt: skip

    def _as_long_as(self, one: np.dtype[Any]) -> npt.NDArray[np.bool_]:
        sizes = one.itemsize // 4, (one.itemsize + _STAMP) // 4
        if self._even is not None:
            return np.full(self.count, self._even.shape[1] // 4 in sizes)
        return np.isin(self._bytes[self._starts], sizes)

    def _byte(self, places: Places, number: int) -> npt.NDArray[np.uint8]:
        return self._even[places, number] if self._even is not None else self._bytes[self._starts[places] + number]

    def _joined(self, places: Places, size: int) -> bytes:
        if self._even is not None:
            return self._even[places, :size].tobytes()
        return b"".join(self.body[at : at + size] for at in self._starts[places].tolist())

    def symbols(self, instruments: npt.NDArray[Any], instants: times.Instants, places: Places) -> list[str | None]:
        """Each record's instrument by name: as the stream itself names it before that record, else by the metadata,
        else by the next name that the stream gives it."""
        days = instants.astype("datetime64[us]").astype("datetime64[D]")
        dated, told = self._dated_names(), self._told_names()
        keys = np.stack([instruments.astype(np.int64), days.astype(np.int64)])
        pairs, at = np.unique(keys, axis=1, return_inverse=True)
        by_day = [_on(dated.get(int(number), []), np.datetime64(int(day), "D")) for number, day in pairs.T]
        names = np.array([*by_day, None], dtype=object)[at.ravel()]
        for number, (said_at, said) in told.items():
            rows = np.flatnonzero(instruments == number)
            before = np.searchsorted(said_at, places[rows])
            rows, before = (one[(before > 0) | np.equal(names[rows], None)] for one in (rows, before))
            names[rows] = np.array(said, dtype=object)[np.maximum(before - 1, 0)]
        found: list[str | None] = names.tolist()
        return found

    def _dated_names(self) -> dict[int, list[tuple[np.datetime64, np.datetime64, str]]]:
        """Raw symbol of each instrument number and the days it holds for, end excluded. Who asked by number has them
        the other way round."""
        names: dict[int, list[tuple[np.datetime64, np.datetime64, str]]] = {}
        for asked, intervals in self.metadata.mappings.items():
            for interval in intervals:
                symbol, number = asked, str(interval["symbol"])
                if symbol.isdecimal() and number and not number.isdecimal():
                    symbol, number = number, symbol
                if number.isdecimal():
                    span = (np.datetime64(interval["start_date"], "D"), np.datetime64(interval["end_date"], "D"))
                    names.setdefault(int(number), []).append((*span, symbol))
        return names

    def _told_names(self) -> dict[int, tuple[list[int], list[str]]]:
        names: dict[int, tuple[list[int], list[str]]] = {}
        sizes = (layout("SymbolMappingMsg"), layout("SymbolMappingMsgV1"))
        picked = [(record, int(place)) for records, places in self.pick([_MAPPING], *sizes)
                  for record, place in zip(records, places, strict=True)]  # fmt: skip
        for record, place in sorted(picked, key=lambda one: one[1]):
            at, said = names.setdefault(int(record["instrument_id"]), ([], []))
            symbol = record["stype_out_symbol"].decode("utf-8", "replace")
            asked = record["stype_in_symbol"].decode("utf-8", "replace")
            at.append(place)
            said.append(asked if not symbol or symbol.isdigit() else symbol)
        return names


def _on(spans: list[tuple[np.datetime64, np.datetime64, str]], day: np.datetime64) -> str | None:
    return next((symbol for first, last, symbol in spans if first <= day < last), None)


def _walked(body: bytes) -> Places:
    """Where each record of a stream of several kinds begins."""
    starts, at, end = [], 0, len(body)
    while at < end:
        length = body[at] * 4
        if length == 0:
            raise Unusable("not_data", f"a record of no length at byte {at}")
        if at + length > end:
            raise Unusable("truncated", "the stream ends within a record")
        starts.append(at)
        at += length
    return np.array(starts, dtype=np.int64)


def instants(nanoseconds: npt.NDArray[Any]) -> tuple[times.Instants, npt.NDArray[np.bool_]]:
    """Microseconds, and which are no time of a body; those stand at the beginning of 1970."""
    told = nanoseconds.astype(np.uint64)
    outside = (told < np.uint64(times.FIRST_INSTANT * 1000)) | (told >= np.uint64(times.LAST_INSTANT * 1000))
    return (np.where(outside, np.uint64(0), told) // np.uint64(1000)).astype(np.int64), outside
