"""Whole nightlies and trading days killed at every publication and at random moments, then run again: the digests,
the files and the counts of an uninterrupted run must come back. `python -m tests.faults.nightlies` (resumes)."""

import argparse
import json
import random
import re
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults import evidence
from tests.faults.processes import KILLED, Forge

ROOT = Path(__file__).resolve().parents[2]
# A small market and a lenient gate: what is killed is the writing, not the learning.
SMALL = ("sandbox.small=true", "sandbox.sessions=360", "sandbox.chain_sessions=4", "sandbox.tick_sessions=2",
         "training.optuna_trials=2", "training.boost_rounds=20", "training.gnn_epochs=3", "gate.min_dsr=0.01",
         "gate.max_loss_probability=1", "gate.max_spa_p=1", "gate.cost_stress=1", "gate.min_trials=1",
         "leak.decision_times=1")


def nightly(names: int) -> tuple[str, ...]:
    return "nightly", *(word for one in (f"sandbox.names={names}", *SMALL) for word in ("--set", one))


NIGHTLY = nightly(8)
NEXT, LIVE = ("--next",), ("live",)  # the first is the nightly that brings another night


@dataclass(frozen=True)
class Chapter:
    """A command to be killed, the home that it starts from, and what follows it when it was let through."""

    name: str
    starts_from: str | None
    killed: tuple[str, ...]
    then: tuple[tuple[str, ...], ...] = ()


FIRST = Chapter("first", None, (), (LIVE,))
LATE_SPLIT = Chapter("late-split", "after-2", NEXT, (LIVE,))
CORRECTED_BAR = Chapter("corrected-bar", "after-4", NEXT, (LIVE,))
CHAPTERS = (FIRST, Chapter("live", "after-first-nightly", LIVE), LATE_SPLIT, CORRECTED_BAR)
AT_RANDOM = (FIRST, LATE_SPLIT, FIRST, CORRECTED_BAR)  # whose nights are killed at random moments, in turns


class Proof:
    """Uninterrupted homes to compare with, and the cases that were seen to end the same; kept in a folder."""

    def __init__(self, folder: Path, nightly: tuple[str, ...] = NIGHTLY) -> None:
        self.folder, self.nightly = folder, nightly
        folder.mkdir(parents=True, exist_ok=True)
        self.forge = Forge(ROOT, folder / "log.txt")
        self._path = folder / "done.json"
        self.done: dict[str, Any] = json.loads(self._path.read_text()) if self._path.exists() else {}

    def note(self, name: str, value: Any) -> None:
        self.done[name] = value
        self._path.write_text(json.dumps(self.done, indent=1))

    def words(self, told: Sequence[str]) -> Sequence[str]:
        """A chapter's command as it is typed."""
        return told if told == LIVE else (*self.nightly, *told)

    def must(self, home: Path, told: Sequence[str]) -> list[str]:
        """Run a command that has to succeed; the failpoints that it passed."""
        words = self.words(told)
        ended, passed = self.forge.run(home, words)
        if ended:
            raise SystemExit(f"the uninterrupted `{' '.join(words[:1])}` ended with {ended}: {self.forge.log}")
        return passed

    def by_a_person(self, chapter: Chapter) -> Path:
        """The chapter's night in a process of its own, as a person would start it: its time is the yardstick."""
        home, begun = self.home("reference", chapter.starts_from), time.monotonic()
        if self.forge.person(home, self.words(chapter.killed)):
            raise SystemExit(f"the uninterrupted nightly failed: {self.forge.log}")
        self.note(f"seconds {chapter.name}", time.monotonic() - begun)
        return home

    def home(self, name: str, starts_from: str | None) -> Path:
        home = self.folder / name
        shutil.rmtree(home, ignore_errors=True)
        if starts_from is not None:
            shutil.copytree(self.folder / starts_from, home)
        elif (keys := self.folder / "after-first-nightly" / "keys").exists():
            shutil.copytree(keys, home / "keys")  # the same desk, so the same signing keys
        return home

    def keep(self, home: Path, name: str) -> None:
        shutil.rmtree(self.folder / name, ignore_errors=True)
        shutil.copytree(home, self.folder / name)

    def tell(self, chapter: Chapter) -> None:
        """Let it happen undisturbed, once, and write down what it passes and leaves."""
        if f"told {chapter.name}" in self.done:
            return
        if chapter is not FIRST:
            self.tell(FIRST)
        number = int(chapter.starts_from.removeprefix("after-")) if chapter.killed == NEXT else 0  # type: ignore
        for night in range(1, number + 1):
            if f"after-{night}" not in self.done:
                home = self.home("reference", f"after-{night - 1}")
                self.must(home, NEXT)
                self.keep(home, f"after-{night}")
                self.note(f"after-{night}", True)
        if chapter is FIRST:
            self.keep(self.by_a_person(chapter), "after-first-nightly")
        elif chapter in AT_RANDOM:
            self.by_a_person(chapter)
        home = self.home("reference", chapter.starts_from)  # again, the first one with the same keys
        passed = self.must(home, chapter.killed)
        for words in chapter.then:
            self.must(home, words)
        left = evidence.of(self.forge, home)
        if chapter is FIRST:
            self.keep(home, "after-0")
        if chapter.name == "live" and (differing := evidence.differing(self.done["told first"]["left"], left)):
            raise SystemExit(f"two uninterrupted nights, one in its own process, differ in {differing}")
        self.note(f"told {chapter.name}", {"passed": passed, "left": left})

    def case(self, name: str, chapter: Chapter, failpoints: Sequence[str], moment: float | None) -> str:
        """Kill, look, run again, compare; an empty answer is a pass. Several failpoints are met one after another."""
        home, killed = self.home("case", chapter.starts_from), 0
        points = list(failpoints) or [""]
        while points:
            if moment is None:
                died, _ = self.forge.run(home, self.words(chapter.killed), points[0])
            else:
                died = self.forge.person(home, self.words(chapter.killed), kill_after_s=moment)
                if died == 0:  # the machine is quicker than it was when the yardstick was taken
                    return self.case(name, chapter, failpoints, moment / 2)
            if died == 0 and killed:
                # What an attempt before left is whole already, so that this night had no reason to come here and is
                # over. It must have ended the same; the places still to come are met in a home of their own.
                if wrong := self.ends_the_same(name, chapter, home, over=chapter.killed == NEXT):
                    return f"after {killed} kills, before {points[0]}: {wrong}"
                home, killed = self.home("case", chapter.starts_from), 0
                continue
            if died != KILLED:
                return f"was not killed at {points[0]}: exit {died}"
            if wrong := evidence.unreadable(self.forge, home):
                return f"after the kill at {points[0]}: {wrong}"
            killed += 1
            points.pop(0)
        # Killed after its last publication the night is complete, and --next would rightly bring another one.
        over = chapter.killed == NEXT and evidence.night(self.forge, home) == self._told(chapter)["status night"]
        return self.ends_the_same(name, chapter, home, over=over)

    def ends_the_same(self, name: str, chapter: Chapter, home: Path, *, over: bool) -> str:
        """Run again and compare with the uninterrupted home; `over`: the night is complete, and must not move on."""
        for words in map(self.words, (() if over else chapter.killed, *chapter.then)):
            ended, _ = self.forge.run(home, words)
            if ended:
                self.keep(home, f"failed-{name}")
                return f"the rerun of `{words[0]}` ended with {ended}: {self.forge.log}"
        differing = evidence.differing(self._told(chapter), evidence.of(self.forge, home))
        if differing:
            self.keep(home, f"failed-{name}")
        return f"differs in {differing}" if differing else ""

    def _told(self, chapter: Chapter) -> dict[str, Any]:
        left: dict[str, Any] = self.done[f"told {chapter.name}"]["left"]
        return left

    def times_passed(self, chapter: Chapter) -> dict[str, int]:
        """How often each publication is reached when nobody disturbs; the first time this is asked, it happens."""
        self.tell(chapter)
        return dict(Counter(self.done[f"told {chapter.name}"]["passed"]))


Case = tuple[str, Chapter, tuple[str, ...], float | None]  # name, chapter, failpoints, seconds until a random kill


def cases(proof: Proof, wanted: Callable[[str], Any], kills: int, seed: int) -> Iterator[Case]:
    """Of every chapter: one home killed at all publications in turn, then a home for each; of the first night also the
    last time that a publication is reached. Of whole nights also moments at random."""
    for chapter in CHAPTERS:
        if wanted(name := f"{chapter.name}:in-turn"):
            yield name, chapter, tuple(proof.times_passed(chapter)), None
    moments = random.Random(seed)
    for nth in range(kills):
        chapter, share = AT_RANDOM[nth % len(AT_RANDOM)], moments.random()
        if wanted(name := f"{chapter.name}:at-random-{nth}"):
            proof.tell(chapter)
            yield name, chapter, (), share * proof.done[f"seconds {chapter.name}"]
    for chapter in CHAPTERS:
        if not wanted(f"{chapter.name}:"):
            continue
        for point, times in proof.times_passed(chapter).items():
            for nth in sorted({1, times if chapter is FIRST else 1}):
                if wanted(name := f"{chapter.name}:{point}#{nth}"):
                    yield name, chapter, (f"{point}#{nth}",), None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=5, help="random moments beside the publications")
    parser.add_argument("--names", type=int, default=8, help="how many names the market has")
    parser.add_argument("--folder", type=Path, default=ROOT / ".nightdesk" / "proof-kill")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="cases that this pattern finds, e.g. late-split: or :marts")
    arguments = parser.parse_args()
    proof = Proof(arguments.folder.absolute(), nightly(arguments.names))
    seen, wrong = 0, 0

    def wanted(name: str) -> bool:  # a name that ends with its colon: whether any case of this chapter may be
        named = [one.name for one in CHAPTERS if f"{one.name}:" in arguments.only]
        return name[:-1] in (named or [one.name for one in CHAPTERS]) if name.endswith(":") else bool(
            re.search(arguments.only, name))

    for name, chapter, points, moment in cases(proof, wanted, arguments.kills, arguments.seed):
        seen += 1
        if name in proof.done:
            continue
        begun = time.monotonic()
        told = proof.case(name, chapter, points, moment)
        took = time.monotonic() - begun
        at = f" (after {moment:.1f} s)" if moment else f" ({len(points)} kills)" if len(points) > 1 else ""
        print(f"{'✗' if told else '✓'} {name}{at}: {told or 'killed, run again, the same'} ({took:.0f} s)", flush=True)
        wrong += bool(told)
        if not told:
            proof.note(name, round(took, 1))
    print(f"{seen - wrong} of {seen} cases end as if nothing had happened")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
