"""`python -m tests.truth.nulls` (`make truth-null`): no family of models may show skill out of sample where there is
none to be had, and each must show more of it the more is planted. An answer a market, kept as a file; resumes."""

import argparse
import json
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from pipelines import durable
from tests.truth import nulls_markets as markets
from tests.truth.nulls_skill import FAMILIES, skill
from tests.truth.nulls_table import Cell, extra, judged, lines

MARKETS = {"momentum": 100, "reversal": 100, "rotation": 100, "gbm": 100, "hmm": 30, "gnn": 30}  # of each null kind
STRENGTHS = {"cross-section": (0.25, 0.5, 1.0), "regimes": (0.2, 0.4, 0.8)}
PLANTED_MARKETS = 10


@dataclass(frozen=True)
class Question:
    family: str
    kind: str
    number: int
    strength: float  # of what is planted; 0 where the kind leaves nothing to foresee

    @property
    def name(self) -> str:
        return f"{self.family}-{self.kind}-{self.strength:g}-{self.number:03d}"


@lru_cache(maxsize=3)  # all families of one market in turn
def _sandbox(signal: float, number: int) -> markets.Market:
    return markets.sandbox(signal, number)


@lru_cache(maxsize=3)
def _regimes(strength: float, number: int) -> markets.Market:
    return markets.regimes(strength, number)


def _base(family: str, strength: float, number: int) -> markets.Market:
    """Where this family has something to find: names against each other, or the market's own regimes."""
    return _regimes(0.8 * strength, number) if family == "hmm" else _sandbox(strength, number)


KINDS: dict[str, Callable[[str, int], markets.Market]] = {
    "permuted": lambda family, number: markets.permuted(_base(family, 1.0, number), number),
    "shifted": lambda family, number: markets.shifted(_base(family, 1.0, number), number),
    "zero": lambda family, number: _sandbox(0.0, number),
}


def questions(wanted: dict[str, int], planted: int) -> Iterator[Question]:
    """The first market of every kind and family, then the second: whoever stops early has seen them all."""
    for number in range(max([*wanted.values(), planted])):
        for kind in KINDS:
            yield from (Question(one, kind, number, 0.0) for one in FAMILIES if number < wanted.get(one, 0))
        for level in range(3 if number < planted else 0):
            yield from (Question(one, "planted", number, _strengths(one)[level]) for one in wanted)


def _strengths(family: str) -> tuple[float, ...]:
    return STRENGTHS["regimes" if family == "hmm" else "cross-section"]


def market_of(asked: Question) -> markets.Market:
    if asked.kind != "planted":
        return KINDS[asked.kind](asked.family, asked.number)
    return (_regimes if asked.family == "hmm" else _sandbox)(asked.strength, asked.number)


def answered(work: Path, asked: Question) -> dict[str, Any]:
    path = work / f"{asked.name}.json"
    if not path.exists():
        begun = time.perf_counter()
        told = {**vars(asked), **skill(asked.family, market_of(asked))}
        durable.write_json(path, {**told, "seconds": round(time.perf_counter() - begun, 2)})
    kept: dict[str, Any] = json.loads(path.read_text())
    return kept


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.truth.nulls", description=__doc__)
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "nightdesk-null-markets")
    parser.add_argument("--share", type=float, default=1.0, help="of the markets: 0.1 is a first look")
    parser.add_argument("--families", default=",".join(FAMILIES), help="some of them, by commas")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    wanted = {one: max(2, round(MARKETS[one] * arguments.share)) for one in arguments.families.split(",")}
    asked = list(questions(wanted, max(2, round(PLANTED_MARKETS * arguments.share))))
    answers = []
    for place, one in enumerate(asked, 1):
        new = not (arguments.work / f"{one.name}.json").exists()
        answers.append(answered(arguments.work, one))
        if new:
            told = answers[-1]
            print(f"{place:5}/{len(asked)}  {one.name:32} skill {told['skill']:+.4f}  {told['seconds']:.1f} s",
                  flush=True)
    cells: list[Cell] = judged(answers)
    print("\n".join([*lines(cells), *extra(answers, "gnn", "rotation")]))
    durable.write_json(arguments.work / "table.json", [vars(one) for one in cells])
    return 0 if all(one.right for one in cells) else 1


if __name__ == "__main__":
    np.seterr(all="ignore")
    raise SystemExit(main())
