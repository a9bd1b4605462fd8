"""Forgetting in homes of chance: nothing that anybody refers to goes, whatever its age, and a kill changes nothing."""

import hashlib
import json
import os
import random
import shutil
import signal
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pipelines import prune
from pipelines.home import Home
from pipelines.settings import Retention
from tests.faults.processes import in_fork

HOW_OFTEN = 25


@dataclass
class Lived:
    """A home of chance, the places that must stay in it, and the others that may go."""

    home: Home
    keep: Retention
    leaned_on: set[Path] = field(default_factory=set)
    others: set[Path] = field(default_factory=set)


def digest(chance: random.Random) -> str:
    return hashlib.sha256(chance.randbytes(8)).hexdigest()


def written(path: Path, content: bytes, at: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (at, at))
    os.utime(path.parent, (at, at))


def say_somewhere(home: Home, chance: random.Random, words: str) -> None:
    """A record, a bundle, tonight's story or its judgement speaks of it, in one of the ways in which digests stand."""
    spelled = chance.choice([words, f"sha256:{words}", f"weights_{words}.txt", f"fold-{words}", f"/x/{words}/gbm.txt"])
    places = (home.records / f"{chance.randrange(99):06d}" / chance.choice(["record.json", "more.json"]),
              home.bundles / f"{chance.randrange(99):06d}-abc" / "manifest.json",
              home.work / "sections" / "training.json", home.work / "judgement" / "held.json")  # fmt: skip
    place = chance.choice(places)
    held = json.loads(place.read_text()) if place.exists() else []
    written(place, json.dumps([*held, {"deep": [spelled]}]).encode(), chance.randrange(1, 3_000))


def lived(folder: Path, seed: int) -> Lived:
    chance = random.Random(seed)
    home = Home(folder).prepare()
    keep = Retention(fits_nights=chance.randrange(1, 4), drift_pages=chance.randrange(1, 3),
                     mart_generations=chance.randrange(1, 4), panels=chance.randrange(1, 3))  # fmt: skip
    story = Lived(home, keep)
    for night in range(1, chance.randrange(2, 9)):
        written(home.reports / f"2025-07-{night:02d}" / "index.html", b"page", night * 100)
    for _ in range(chance.randrange(1, 12)):
        at, name = chance.randrange(1, 1_000), digest(chance)
        fit = home.work / "models" / name
        weights = chance.randbytes(20)
        written(fit / "gbm.txt", weights, at)
        page = home.reports / "drift" / f"{name[:16]}.html"
        written(page, b"page", chance.randrange(1, 1_000))
        panel = home.work / "panels" / f"{name[:32]}.npz"
        written(panel, b"panel", chance.randrange(1, 1_000))
        for place, words in ((fit, name), (fit, hashlib.sha256(weights).hexdigest()), (page, name), (panel, name[:32])):
            if chance.random() < 0.15:
                say_somewhere(home, chance, words)
                story.leaned_on |= {place, page} if words == name else {place}
        story.others |= {fit, page, panel}
    generations = []
    for _ in range(chance.randrange(1, 7)):
        name, digests = digest(chance)[:16], [digest(chance) for _ in range(3)]
        folder = home.marts / name
        at = chance.randrange(1, 1_000)
        written(folder / "generation.json", json.dumps({"digests": dict(enumerate(digests))}).encode(), at)
        generations.append(folder)
        story.others.add(folder)
        if chance.random() < 0.2:
            record = home.records / f"{chance.randrange(100, 999):06d}" / "record.json"
            written(record, json.dumps({"data": digests}).encode(), 1)
            story.leaned_on.add(folder)
    current = chance.choice(generations)
    written(home.marts / "current", f"{current.name}\n".encode(), chance.randrange(1, 1_000))
    story.leaned_on |= {current, home.marts / "current"}
    story.others -= story.leaned_on
    return story


def everything(home: Home) -> dict[str, bytes]:
    files = (path for path in home.root.rglob("*") if path.is_file() and path.name != "lock")
    return {path.relative_to(home.root).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize("seed", range(HOW_OFTEN))
def test_nothing_that_is_leaned_on_goes(seed: int, tmp_path: Path) -> None:
    story = lived(tmp_path, seed)
    before, doomed = everything(story.home), prune.plan(story.home, story.keep)
    going = {thing.path for thing in doomed.going}
    assert going <= story.others and not going & story.leaned_on
    for folder, count in ((story.home.reports / "drift", story.keep.drift_pages),
                          (story.home.work / "panels", story.keep.panels)):  # fmt: skip
        newest = sorted(folder.iterdir(), key=lambda path: (path.stat().st_mtime_ns, path.name))[-count:]
        assert not going & set(newest)
    prune.carry_out(story.home, doomed)
    after = everything(story.home)
    assert after == {name: body for name, body in before.items()
                     if not any(story.home.root / name == path or path in (story.home.root / name).parents
                                for path in going)}  # fmt: skip
    assert not prune.plan(story.home, story.keep).going


def test_homes_of_chance_have_something_to_forget_and_something_that_holds_it(tmp_path: Path) -> None:
    told = [prune.plan(story.home, story.keep) for story in (lived(tmp_path / str(n), n) for n in range(HOW_OFTEN))]
    assert sum(len(plan.going) for plan in told) > 100 and sum(len(plan.referred) for plan in told) > 20


def test_killed_at_any_thing_it_is_finished_by_the_next_one(tmp_path: Path) -> None:
    seed = next(n for n in range(HOW_OFTEN) if 3 <= len(doomed_of(tmp_path / f"look-{n}", n)) <= 8)
    undisturbed = lived(tmp_path / "undisturbed", seed)
    prune.carry_out(undisturbed.home, prune.plan(undisturbed.home, undisturbed.keep))
    expected = everything(undisturbed.home)
    for nth in range(1, len(doomed_of(tmp_path / "again", seed)) + 1):
        story = lived(tmp_path / f"killed-{nth}", seed)
        before, doomed = everything(story.home), prune.plan(story.home, story.keep)
        assert in_fork(lambda doomed=doomed, home=story.home: prune.carry_out(home, doomed), f"prune#{nth}") == (
            -signal.SIGKILL
        )
        left = everything(story.home)
        assert all(left[name] == before[name] for name in left if not name.startswith("work/pruned/"))
        first = doomed.going[0].path
        if first.is_dir():  # the next night makes it again, and then it is forgotten again
            shutil.copytree(story.home.work / "pruned" / f"0-{first.name}", first, dirs_exist_ok=True)
        prune.carry_out(story.home, prune.Plan([thing for thing in doomed.going if thing.path.exists()], []))
        assert everything(story.home) == expected


def doomed_of(folder: Path, seed: int) -> list[prune.Thing]:
    story = lived(folder, seed)
    return prune.plan(story.home, story.keep).going
