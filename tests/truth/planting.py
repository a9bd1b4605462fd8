"""A small market with a late split, a corrected bar and a name that died, and the gate over a planted leak in it."""

import contextlib
import datetime as dt
import io
import itertools
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from pipelines import sandbox, settings
from pipelines.home import Home
from pipelines.store import build, leak
from pipelines.store.frame import decision_time
from tests import OWN
from tests.truth.plants import Plant

NIGHTS = (2, 5)  # the split went ex unseen; it and the correction are known
SMALL = {"small": True, "names": 6, "sessions": 90, "chain_sessions": 6, "tick_sessions": 3}
# Before a name died, and between the first print of a bar and its correction.
DECISIONS = (dt.date(2025, 3, 20), dt.date(2025, 7, 8))


def live_through(folder: Path, *, nights: tuple[int, ...] = NIGHTS, **overrides: Any) -> tuple[Home, dt.datetime]:
    """A home after those nights, with marts and no features yet."""
    from pipelines.lake import marts
    from pipelines.lake.ingest import ingest

    home, chosen = Home(folder).prepare(), settings.load({"sandbox": SMALL, **overrides}, environment=OWN)
    with contextlib.redirect_stderr(io.StringIO()):
        for night in nights:
            now = sandbox.night_now(chosen, night)
            ingest(chosen, home, now)
        marts.build(home, now=now)
    return home, now


class Field:
    """A lived home, on which every plant is built beside the others; marts of altered facts are built once."""

    def __init__(self, home: Home, now: dt.datetime, folder: Path) -> None:
        self.home, self.now, self.folder, self.numbers = home, now, folder, itertools.count()
        self._kept: dict[tuple[Any, ...], Any] = {}
        self._open = ExitStack()

    @contextmanager
    def rebuild(
        self, home: Home, at: dt.datetime, variant: leak.Variant, *, now: dt.datetime, seed: int = 0,
        datasets: Collection[str] | None = None, only: tuple[str, ...] = (),
    ) -> Iterator[Any]:
        """`leak.rebuilt`, kept open and whole, whichever marts this plant reads: the facts are those of every plant."""
        key = (at, variant, seed, datasets)
        if key not in self._kept:
            built = leak.rebuilt(self.home, at, variant, now=now, seed=seed, datasets=datasets)
            self._kept[key] = self._open.enter_context(built)
        yield self._kept[key]

    def catch(self, plant: Plant, *, variants: tuple[leak.Variant, ...] = ("truncate",)) -> list[leak.Finding]:
        """What the gate says of this plant, its table built as the night builds tables."""
        home = Home(self.folder / f"plant-{next(self.numbers)}")
        (home.root / "lake").mkdir(parents=True)
        for name in ("raw", "quarantine", "marts"):
            (home.root / "lake" / name).symlink_to(self.home.root / "lake" / name)
        for view, features in plant.recipe.families().items():
            build.build_family(home, view, features, recipe=plant.recipe)
        found = leak.audit(home, self.now, plant.recipe)
        if found:
            return found
        moments = [decision_time(day) for day in DECISIONS]
        return list(leak.leak_check(home, now=self.now, moments=moments, recipe=plant.recipe, variants=variants,
                                    rebuild=self.rebuild).findings)

    def close(self) -> None:
        self._open.close()


def named(plant: Plant, found: list[leak.Finding]) -> bool:
    """Whether some finding says what the plant must be told by: feature, entity, first bad time, input, detector."""
    return any(
        finding.feature in ("planted", leak.ROW, f"({plant.recipe.features[0].inputs[0]})") and finding.entity
        and finding.first_bad_time and plant.blamed in finding.input and plant.detector in finding.detector
        for finding in found
    )
