"""Every act on a slot killed at every place where it writes: what serves meanwhile is valid, and there is always some.

`python -m tests.faults.acts` goes through all of them; each death is a fork of one small process. What an act passes is
not written down anywhere: an undisturbed one tells."""

import argparse
import datetime as dt
import importlib
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from models import bundle
from pipelines.evidence import keys, ladder, publish
from pipelines.evidence.acts import Acts
from pipelines.evidence.provenance import CARD, made_by
from pipelines.evidence.records import Records
from pipelines.evidence.standing import Standing, standing
from pipelines.home import Home
from tests.faults.processes import in_fork

NOW = dt.datetime(2025, 7, 1, 6, tzinfo=dt.UTC)
SLOT = "daily-equity"
# What every fork would import again.
HEAVY = ("lightgbm", "safetensors.numpy", "exchange_calendars", "cryptography.hazmat.primitives.asymmetric.ed25519",
         "models.golden", "models.structure", "models.snapshot", "tests.test_models.little_bundle",
         "pipelines.training.candidates")
EVIDENCE = {"returns.safetensors": b"\x01\x02" * 50, "judged.json": b"{}"}


def judged(act: str, key: str, night: int) -> dict[str, object]:
    return {"act": act, "slot": SLOT, "strategy": "little", "key": key, "night": night, "attempted": "promote",
            "inputs_digest": f"{night}", "verdict": {"checks": []}, "ledger": {"n": 6, "head": "0" * 64},
            "card": dict.fromkeys(CARD, "said")}


class Slot:
    """A home with a champion whose bundle serves, and the acts that may come next; `packed` is a bundle's folder."""

    def __init__(self, home: Path, packed: Path) -> None:
        self.home, self.packed = Home(home).prepare(), packed

    def write(self, act: str, key: str, night: int) -> None:
        Records(self.home).append(judged(act, key, night), EVIDENCE, NOW, keys.open_or_create(self.home.keys))

    def publish(self) -> None:
        from tests.test_models import little_bundle

        contents = {name: (self.packed / name).read_bytes() for name in bundle.CONTENTS}
        champion = self.held().champion
        assert champion is not None
        draft = replace(little_bundle.draft(), evidence_digest=champion.content_digest, rung=self.held().rung)
        publish.publish(self.home, contents, draft, keys.open_or_create(self.home.keys))

    def held(self) -> Standing:
        return standing(Records(self.home).all(), SLOT)

    def acting(self) -> Acts:
        return Acts(self.home, "ann", "because", NOW)

    def begin(self) -> None:
        """Two champions, one after another, each with its bundle; the second serves."""
        self.write("promote", "a", 0)
        self.publish()
        self.write("refresh", "a", 1)
        self.publish()

    def promote(self) -> None:
        self.write("promote", "b", 2)
        self.publish()

    def refresh(self) -> None:
        self.write("refresh", "a", 2)
        self.publish()

    def rollback(self) -> None:
        self.acting().rollback()

    def climb(self) -> None:
        champion = self.held().champion
        assert champion is not None
        content = {"act": "climb", "attempted": "climb", "slot": SLOT, "strategy": "little", "key": "a",
                   "rung": "canary", "names": {"record": champion.content_digest}}
        Records(self.home).append(content, {}, NOW, keys.open_or_create(self.home.keys))
        ladder.settle(self.home, self.held(), NOW)

    def demote(self) -> None:
        self.acting().demote()

    def kill(self) -> None:
        self.acting().kill()


# What each act needs before it, and whether somebody must serve whatever happens to it.
STORIES: dict[str, tuple[Callable[[Slot], None], Callable[[Slot], None], bool]] = {}


def _story(name: str, before: Callable[[Slot], None], act: Callable[[Slot], None], serves: bool) -> None:
    STORIES[name] = (before, act, serves)


def _approve(slot: Slot) -> None:
    slot.acting().approve(None)
    slot.publish()


def _propose(slot: Slot) -> None:
    slot.write("propose", "b", 2)


def _nothing(slot: Slot) -> None:
    return None


def _reset(slot: Slot) -> None:
    slot.acting().reset()


def _empty(slot: Slot) -> None:
    for part in (slot.home.records, slot.home.bundles, slot.home.ledger):
        shutil.rmtree(part)


def _first(slot: Slot) -> None:
    slot.write("promote", "a", 0)
    slot.publish()


_story("first", _empty, _first, False)
_story("promote", _nothing, Slot.promote, True)
_story("refresh", _nothing, Slot.refresh, True)
_story("approve", _propose, _approve, True)
_story("rollback", _nothing, Slot.rollback, True)
_story("climb", _nothing, Slot.climb, True)
_story("demote", _nothing, Slot.demote, False)
_story("kill", _nothing, Slot.kill, False)
_story("reset", Slot.kill, _reset, False)


def valid(home: Path, serves: bool) -> None:
    """At most one champion, what serves may and loads, and something does where something must."""
    slot = Home(home)
    Records(slot).verify(keys.trusted(slot.keys))
    serving = bundle.current(slot.bundles)
    held = standing(Records(slot).all(), SLOT)
    if held.killed is None and held.champion is not None:
        publish.check_serving(slot)
    if serving is not None:
        bundle.load(serving, keys.trusted(slot.keys), 0, NOW)
    assert not serves or (serving is not None and held.champion is not None), "nobody serves where somebody did"


def left(home: Path) -> dict[str, bytes]:
    """Everything that an act leaves, byte for byte, without what a kill left staged."""
    return {str(path.relative_to(home)): path.read_bytes() for part in ("records", "bundles", "ledger")
            for path in sorted((home / part).rglob("*"))
            if path.is_file() and not any(one.startswith(".") or "staging" in one for one in path.parts[-2:])}


def cases(packed: Path, folder: Path, every: int = 1) -> Iterator[tuple[str, str, str]]:
    """(story, failpoint, what is wrong): one a place of every act, or of each `every`-th place."""
    made_by()  # asked once: a commit in between would be another hand, and rightly another record
    for name in HEAVY:
        importlib.import_module(name)
    beginning = folder / "beginning"
    assert in_fork(lambda: Slot(beginning, packed).begin()) == 0
    number = 0
    for name, (before, act, serves) in STORIES.items():
        start, whole, traced = folder / f"{name}-start", folder / f"{name}-whole", folder / f"{name}.txt"
        shutil.copytree(beginning, start)
        assert in_fork(lambda home=start, first=before: first(Slot(home, packed))) == 0  # type: ignore[misc]
        shutil.copytree(start, whole)
        assert in_fork(lambda home=whole, do=act: do(Slot(home, packed)), traced=traced) == 0  # type: ignore[misc]
        for nth, failpoint in _numbered(traced.read_text().split()):
            number += 1
            if number % every == 0:
                home = folder / "case"
                shutil.copytree(start, home)
                yield name, f"{failpoint}#{nth}", _case(home, packed, act, f"{failpoint}#{nth}", serves, whole)
                shutil.rmtree(home)


def _numbered(passed: list[str]) -> Iterator[tuple[int, str]]:
    for at, name in enumerate(passed):
        yield passed[: at + 1].count(name), name


def _case(home: Path, packed: Path, act: Callable[[Slot], None], failpoint: str, serves: bool, whole: Path) -> str:
    if (ended := in_fork(lambda: act(Slot(home, packed)), failpoint)) != -signal.SIGKILL:
        return f"was not killed: {ended}"
    if in_fork(lambda: valid(home, serves)):
        return "is not valid after the kill"
    if left(home) != left(whole) and in_fork(lambda: act(Slot(home, packed))):
        return "cannot be finished"
    if in_fork(lambda: valid(home, serves)):
        return "is not valid after the next attempt"
    return "" if left(home) == left(whole) else "ends otherwise than undisturbed"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packed", type=Path, nargs="?", help="a bundle's files; fitted here where none is named")
    parser.add_argument("--every", type=int, default=1)
    arguments = parser.parse_args()
    wrong = tried = 0
    with tempfile.TemporaryDirectory() as folder:
        packed = arguments.packed or _packed(Path(folder) / "packed")
        for story, failpoint, fault in cases(packed, Path(folder), arguments.every):
            tried, wrong = tried + 1, wrong + bool(fault)
            print(f"{story:10} killed at {failpoint:28} {fault or 'as it should be'}", flush=True)
    print(f"{tried - wrong} of {tried} as they should be")
    return 1 if wrong else 0


def _packed(folder: Path) -> Path:
    """Made by a process of its own: what fits leaves threads behind that no fork survives."""
    def write() -> None:
        from tests.test_models import little_bundle

        folder.mkdir()
        for name, data in little_bundle.contents().items():
            (folder / name).write_bytes(data)

    assert in_fork(write) == 0
    return folder


if __name__ == "__main__":
    raise SystemExit(main())
