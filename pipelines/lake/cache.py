"""`PredictiveCache`: packed values within so many bytes, for so long, and what usually follows read ahead."""

import math
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

from pipelines.lake.habits import Habits, key_bytes
from pipelines.lake.packing import Unpackable, pack, unpack

ENTRY_BYTES = 500  # what a dictionary and Python's objects take beside key and value
HABITS_SHARE = 0.05  # of the bytes, for what follows what


class Kept(NamedTuple):
    packed: bytes
    until_s: float
    bytes: int
    ahead: bool  # nobody asked for it yet


class PredictiveCache:
    """Bounded by what it holds in bytes, keys and habits included; whoever was asked for longest ago goes first.

    A value comes back as a new one, so that none who changes it changes another's. With a `loader` a miss is loaded,
    once however many ask at a time, and so is, in the background, what came after this key at least twice and in half
    of the cases. It learns what follows what, not at which hour. `clock` is in seconds and never runs back."""

    def __init__(
        self, max_memory_mb: float = 1000, *, loader: Callable[[Any], Any] | None = None, loaded_ttl: float = 300.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        if not 0.0 < max_memory_mb < math.inf:
            raise ValueError(f"a cache of {max_memory_mb} MB: give a number above 0")
        self.max_bytes = int(max_memory_mb * 1_000_000)
        self._loader, self._loaded_ttl, self._clock = loader, loaded_ttl, clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, Kept] = OrderedDict()
        self._bytes = 0
        self._habits = Habits(int(self.max_bytes * HABITS_SHARE))
        self._asked = threading.local()  # the last key, thread by thread
        self._under_way: dict[Hashable, Future[Any]] = {}
        self._worker: ThreadPoolExecutor | None = None
        self._counts: Counter[str] = Counter()

    def set(self, key: Hashable, value: Any, ttl: float = 300.0) -> None:
        """For `ttl` seconds. `Unpackable` (a TypeError) for what would come back as another; what is larger than the
        whole cache is not kept."""
        self._put(key, pack(value), ttl, ahead=False)

    def get(self, key: Hashable, default: Any = None) -> Any:
        """The value; without it the loader's, else the default."""
        with self._lock:
            found = self._fresh(key)
            self._counts["misses" if found is None else "hits"] += 1
            if found is not None:
                self._counts["hits_ahead"] += found.ahead
                self._kept[key] = found._replace(ahead=False)
                self._kept.move_to_end(key)
            before = getattr(self._asked, "key", None)
            if before is not None and before != key:
                self._habits.followed(before, key)
                self._make_room()
            self._asked.key = key
        self._look_ahead(key)
        if found is not None:
            return unpack(found.packed)
        return default if self._loader is None else self._load(key, ahead=False)

    @property
    def used_bytes(self) -> int:
        return self._bytes + self._habits.bytes

    def stats(self) -> dict[str, float]:
        """Counts, `hit_rate` (NaN before the first question), entries and bytes."""
        with self._lock:
            asked = self._counts["hits"] + self._counts["misses"]
            names = ("hits", "misses", "hits_ahead", "loaded_ahead", "evicted", "expired", "too_large")
            return {**{name: self._counts[name] for name in names},
                    "hit_rate": self._counts["hits"] / asked if asked else math.nan, "entries": len(self._kept),
                    "used_bytes": self.used_bytes, "max_bytes": self.max_bytes}  # fmt: skip

    def close(self) -> None:
        """Ends the background; what is kept stays."""
        with self._lock:
            worker, self._worker, self._loader = self._worker, None, None
        if worker is not None:
            worker.shutdown(cancel_futures=True)

    def _put(self, key: Hashable, packed: bytes, ttl: float, *, ahead: bool) -> None:
        size = len(packed) + key_bytes(key) + ENTRY_BYTES
        with self._lock:
            self._drop(key)
            if size > self.max_bytes - self._habits.bytes:
                self._counts["too_large"] += 1
                return
            self._bytes += size
            self._kept[key] = Kept(packed, self._clock() + ttl, size, ahead)
            self._make_room()

    def _make_room(self) -> None:
        while self._kept and self.used_bytes > self.max_bytes:
            self._drop(next(iter(self._kept)))
            self._counts["evicted"] += 1

    def _drop(self, key: Hashable) -> None:
        gone = self._kept.pop(key, None)
        if gone is not None:
            self._bytes -= gone.bytes

    def _fresh(self, key: Hashable) -> Kept | None:
        found = self._kept.get(key)
        if found is not None and not self._clock() < found.until_s:
            self._drop(key)
            self._counts["expired"] += 1
            return None
        return found

    def _load(self, key: Hashable, *, ahead: bool) -> Any:
        """By whoever asks first; the others wait for it."""
        with self._lock:
            loading, loader, found = self._under_way.get(key), self._loader, self._fresh(key)
            if found is not None:  # it came in the meantime
                return unpack(found.packed)
            mine = loading is None
            if loading is None:
                loading = self._under_way[key] = Future()
        if mine:
            self._told(loading, key, loader, ahead)
        return loading.result()

    def _told(self, loading: Future[Any], key: Hashable, loader: Callable[[Any], Any] | None, ahead: bool) -> None:
        try:
            value = None if loader is None else loader(key)
            try:
                self._put(key, pack(value), self._loaded_ttl, ahead=ahead)
            except Unpackable:
                pass  # it is asked for again each time
            loading.set_result(value)
        except BaseException as problem:
            loading.set_exception(problem)
        finally:
            with self._lock:
                del self._under_way[key]

    def _look_ahead(self, key: Hashable) -> None:
        with self._lock:
            likely = None if self._loader is None else self._habits.next(key)
            if likely is None or likely in self._under_way or self._fresh(likely) is not None:
                return
            if self._worker is None:
                self._worker = ThreadPoolExecutor(1, thread_name_prefix="ahead")
            self._counts["loaded_ahead"] += 1
            self._worker.submit(self._load, likely, ahead=True)  # what it raises is raised to whoever asks for it
