"""What vendors did not give tonight: said once, told again at the end, and no reason to leave the others unasked."""

from collections import Counter
from dataclasses import dataclass, field

from pipelines.progress import say
from pipelines.vendors.hosts import VendorClosed, VendorError, VendorSilent

MOST_SILENT = 3  # questions that every attempt left unanswered: the next ones would be, too


class Incomplete(VendorError):
    """What was had is landed; what was not is too much for anything to be built on."""


@dataclass
class Trouble:
    """By vendor and kind of question: why it was not had. A vendor who is closed is asked for nothing more."""

    failed: dict[str, str] = field(default_factory=dict)
    stops: bool = False  # something that all the rest hangs on
    _said: set[str] = field(default_factory=set)
    _closed: set[str] = field(default_factory=set)
    _silent: Counter[str] = field(default_factory=Counter)

    def is_closed(self, place: str) -> bool:
        return place in self._closed

    def meet(self, place: str, what: str, problem: VendorError, *, needed: bool = False, extra: bool = False) -> None:
        """`needed`: nothing may be judged without it. `extra`: nobody asked for it by name, and nobody misses it."""
        self.stops |= needed
        name = f"{place}, {what}"
        if name not in self._said:
            self._said.add(name)
            say(f"    ✗ {name}: {problem}")
        if not extra:
            self.failed.setdefault(name, str(problem))
        self._silent[place] += isinstance(problem, VendorSilent)
        if isinstance(problem, VendorClosed) or self._silent[place] >= MOST_SILENT:
            if place not in self._closed:
                say(f"    ✗ {place} is asked for nothing more in this run")
            self._closed.add(place)
