"""`python -m tests.faults.live_kills`: trading days killed at every point and at random moments, against a venue's own
ledger. It resumes where it was stopped; a case that differs keeps its folder and makes the exit code 1."""

import argparse
import json
import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from live.fakes import ListFeed  # noqa: F401  (what a child needs is imported before it is forked)
from models.bundle import Bundle, current, load
from pipelines import calendars
from tests.faults import live_days
from tests.faults.live_days import KILLED, Reached, dying_at, in_a_fork, story, trade
from tests.test_live import world
from tests.venues import plain

ANSWERS = ("acked", "lost", "never")
OURS = str(Path(live_days.__file__).resolve().parents[2] / "live") + os.sep
LATEST_S = 0.25  # a day lasts about this long; later moments hit nothing


@dataclass(frozen=True)
class Case:
    """One story with its deaths: `dies` are (point, nth) of an attempt each, or lines, or milliseconds."""

    name: str
    answers: tuple[str, ...]
    dies: tuple[tuple[str, int], ...]


def bundle_in(folder: Path) -> Bundle:
    published = current(world.publish(folder, rung="canary"))
    assert published is not None
    return load(published, [world.PUBLIC], 0, calendars.open_at(world.world().coming[0]))


def undisturbed(folder: Path, bundle: Bundle) -> tuple[dict[str, Any], Counter[str]]:
    """How it ends when nothing is killed, and which points it passes how often."""
    passed: Counter[str] = Counter()
    folder.mkdir(parents=True)
    with plain.running(folder):
        trade(folder, bundle, lambda name: passed.update([name]))
    return story(folder), passed


def run(folder: Path, bundle: Bundle, case: Case) -> tuple[dict[str, Any], int]:
    """Die as the case says, then be left alone; the story, and how many attempts were really killed."""
    folder.mkdir(parents=True)
    killed = 0
    with plain.running(folder) as venue:
        venue.ask("arrange", answers=list(case.answers))
        for how, nth in case.dies:
            ended = in_a_fork(lambda how=how, nth=nth: trade(folder, bundle, _death(how, nth)))  # type: ignore[misc]
            assert ended in {0, KILLED}, f"{case.name}: an attempt ended with {ended}"
            killed += ended == KILLED
        assert in_a_fork(lambda: trade(folder, bundle, lambda name: None)) == 0, f"{case.name}: it did not go on"
    return story(folder), killed


def _death(how: str, nth: int) -> Reached:
    """A point, a line of live/ (`line`), or a moment (`ms`)."""
    if how == "ms":
        signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        signal.setitimer(signal.ITIMER_REAL, nth / 1000)
    if how == "line":
        left = nth

        def trace(frame: FrameType, event: str, _: Any) -> Any:
            nonlocal left
            if not frame.f_code.co_filename.startswith(OURS):
                return None
            if event == "line":
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
            return trace

        sys.settrace(trace)
    return dying_at(how, nth)


def every_point(passed: Counter[str]) -> Iterator[Case]:
    """Each point that an undisturbed day passes, each time it is passed, with each answer of the venue."""
    for answer in ANSWERS:
        for point, times in sorted(passed.items()):
            for nth in range(1, times + 1):
                yield Case(f"{answer}-{point}-{nth}", (answer,) * 7, ((point, nth),))


def in_turn(passed: Counter[str]) -> Iterator[Case]:
    """One home a case, killed at every point for the first time that it is passed, one attempt after the other. What
    comes after the answers is the same for all of them, and done for one."""
    for answer in ANSWERS:
        dies = tuple((point, 1) for point in passed if answer == "acked" or point.startswith("order."))
        yield Case(f"{answer}-in-turn", (answer,) * 7, dies)


def at_random(number: int, seed: int) -> Case:
    """Three deaths in one day, by line or by moment, with answers that are drawn too."""
    chance = random.Random(f"{seed}/{number}")
    dies = tuple(("line", int(10 ** chance.uniform(1.0, 4.6))) if chance.random() < 0.5 else
                 ("ms", chance.randint(1, int(LATEST_S * 1000))) for _ in range(3))
    answers = [chance.choice(ANSWERS[:2]) for _ in range(40)]
    for place in chance.sample(range(20), 2):  # an order that three times does not arrive is rightly given up
        answers[place] = "never"
    return Case(f"random-{seed}-{number:05d}", tuple(answers), dies)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000, help="random deaths to come to")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--only", choices=("points", "random"), help="one of the two parts")
    parser.add_argument("--quick", action="store_true", help="only each point once, and three random deaths")
    parser.add_argument("--work", type=Path, default=Path(".nightdesk-kills/live"))
    asked = parser.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    done_file = asked.work / "done.jsonl"
    done = {row["case"]: row for row in map(json.loads, done_file.read_text().splitlines())} if done_file.exists() \
        else {}
    shutil.rmtree(asked.work / "bundles", ignore_errors=True)
    bundle = bundle_in(asked.work / "bundles")
    shutil.rmtree(asked.work / "undisturbed", ignore_errors=True)
    expected, passed = undisturbed(asked.work / "undisturbed", bundle)
    kills = sum(row["kills"] for name, row in done.items() if name.startswith(f"random-{asked.seed}-"))
    bad, number, began_s = 0, 0, time.monotonic()
    cases = [] if asked.only == "random" else list(in_turn(passed))
    cases += [] if asked.only == "random" or asked.quick else list(every_point(passed))
    most = 0 if asked.only == "points" else 3 if asked.quick else asked.kills
    while cases or kills < most:
        case = cases.pop(0) if cases else at_random(number, asked.seed)
        number += case.name.startswith("random-")
        if case.name in done:
            continue
        folder = asked.work / case.name
        shutil.rmtree(folder, ignore_errors=True)
        try:
            told, killed = run(folder, bundle, case)
            wrong = "" if told == expected else f"differs: {[key for key in told if told[key] != expected[key]]}"
        except AssertionError as problem:
            killed, wrong = 0, str(problem)
        if wrong:
            bad += 1
            print(f"{case.name}: {wrong}; kept in {folder}", flush=True)
            continue
        shutil.rmtree(folder)
        kills += killed if case.name.startswith("random-") else 0
        with open(done_file, "a") as out:
            out.write(json.dumps({"case": case.name, "kills": killed}) + "\n")
        print(f"{case.name}: as undisturbed after {killed} kill(s)", flush=True)
    print(f"{bad} case(s) differ; {kills} random kills; {time.monotonic() - began_s:.0f} s in this run")
    raise SystemExit(1 if bad else 0)


if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"
    main()
