"""Which key is asked for after which: counted, and bounded in bytes like all that a cache keeps."""

import sys
from collections import OrderedDict
from collections.abc import Hashable

SUCCESSORS = 4  # remembered of each key
ENTRY_BYTES = 700  # of a key's own table of successors, and its place in ours
LEAST, SHARE = 2, 0.5  # times that it came next, and of all times


def key_bytes(key: Hashable) -> int:
    return sys.getsizeof(key) + (sum(map(key_bytes, key)) if isinstance(key, tuple) else 0)


class Habits:
    """The keys that were asked for last are remembered longest."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._after: OrderedDict[Hashable, dict[Hashable, int]] = OrderedDict()
        self.bytes = 0

    def followed(self, before: Hashable, key: Hashable) -> None:
        known = self._after.pop(before, None)
        if known is None:
            known = {}
            self.bytes += key_bytes(before) + ENTRY_BYTES
        if key not in known and len(known) == SUCCESSORS:  # who came least often makes room
            least = min(known, key=lambda one: known[one])
            del known[least]
            self.bytes -= key_bytes(least)
        if key not in known:
            self.bytes += key_bytes(key)
        known[key] = known.get(key, 0) + 1
        self._after[before] = known
        while self.bytes > self._max_bytes:
            oldest, gone = self._after.popitem(last=False)
            self.bytes -= key_bytes(oldest) + ENTRY_BYTES + sum(map(key_bytes, gone))

    def next(self, key: Hashable) -> Hashable | None:
        """What usually follows; None where nothing does."""
        known = self._after.get(key)
        if not known:
            return None
        likely = max(known, key=lambda one: known[one])
        return likely if known[likely] >= LEAST and known[likely] >= SHARE * sum(known.values()) else None
