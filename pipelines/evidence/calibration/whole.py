"""Many markets through the promotion's whole path, a file each, in as many processes as there are cores. Resumes."""

import contextlib
import io
import json
import multiprocessing
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import numpy as np

from pipelines import durable
from pipelines.digest import json_digest
from pipelines.evidence.calibration import bars
from pipelines.evidence.calibration.run import upper_bound
from pipelines.progress import say

RESULT = "whole-path.json"
FAMILIES = {"gbm": "weekly refits of boosted trees", "hmm": "trees under regimes that set the size", "gnn": "the graph"}
PLANTED = ("modest", "strong")


def _walk(kind: str, seed: int, number: int, path: Path, family: str) -> dict[str, Any]:
    """In a process of its own: one market, its answer on the disk."""
    from pipelines.evidence.calibration import paths

    begun = time.perf_counter()
    market = bars.planted_bars(kind, seed * 1000 + number) if kind in PLANTED else bars.null_bars(kind, seed, number)
    with contextlib.redirect_stderr(io.StringIO()):
        told = paths.walk_one(market, seed, family)
    told = {"kind": kind, "number": number, **told, "seconds": round(time.perf_counter() - begun, 1)}
    durable.write_json(path, told, failpoint="calibration")
    return told


def _asked(place: Path, markets: int, family: str = "gbm") -> Iterator[tuple[str, int, Path]]:
    """The first market of every kind, then the second: whoever stops early has seen all kinds."""
    for number in range(markets):
        for kind in (*bars.KINDS, *(PLANTED if number < max(1, markets // 5) else ())):
            yield kind, number, place / f"{_of(family)}{kind}-{number:04d}.json"


def _of(family: str) -> str:
    """In the names of files: the trees' are older than the others'."""
    return "" if family == "gbm" else f"{family}-"


def calibrate(folder: Path, seed: int, markets: int, workers: int, family: str = "gbm") -> dict[str, Any]:
    """Ask for what is not answered yet, and add up."""
    from pipelines.evidence.judge import code_digest

    # Other code is another path: answers of before do not count for it.
    place = folder / f"whole-path-{json_digest([code_digest(), seed])[:12]}"
    asked = list(_asked(place, markets, family))
    answers = [json.loads(path.read_text()) for _, _, path in asked if path.exists()]
    todo = [one for one in asked if not one[2].exists()]
    say(f"  {len(asked)} markets, {len(answers)} of them answered before; kept in {place}")
    os.environ.setdefault("PYTHONWARNINGS", "ignore")  # libraries' previews, once a process
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        waiting = [pool.submit(_walk, kind, seed, number, path, family) for kind, number, path in todo]
        try:
            for done in as_completed(waiting):
                told = done.result()
                answers.append(told)
                word = "promoted" if told["promoted"] else "refused"
                say(f"  {len(answers):4}/{len(asked)}  {told['kind']:22} {told['number']:4}  {word} "
                    f"({told['seconds']:.0f} s)")
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    result = {"seed": seed, "family": family, "markets": markets, "code": code_digest(), "rows": _table(answers)}
    durable.write_json(place / f"{_of(family)}{RESULT}", result, failpoint="calibration")
    return {**result, "folder": str(place)}


def _table(answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = []
    nulls = [one for one in answers if one["kind"] in bars.KINDS]
    for kind in (*bars.KINDS, *PLANTED):
        of = [one for one in answers if one["kind"] == kind]
        if of:
            rows.append(_row(kind, of))
    return [*rows, _row("all null kinds", nulls)] if nulls else rows


def _row(kind: str, of: list[dict[str, Any]]) -> dict[str, Any]:
    promoted = sum(one["promoted"] for one in of)
    row = {"kind": kind, "markets": len(of), "promoted": promoted, "bound": round(upper_bound(promoted, len(of)), 4),
           "median_seconds": float(np.median([one["seconds"] for one in of]))}
    known = [one for one in of if one["oracle_sharpe"]]
    if known:  # of the Sharpe that an all-knowing trader earns, net of the same costs
        shares = [one["sharpe_active"] / one["oracle_sharpe"] for one in known]
        row["share_of_oracle"] = round(float(np.mean(shares)), 3)
    return row


def lines(result: dict[str, Any]) -> list[str]:
    told = [f"Whole path: bars, features, {FAMILIES[result['family']]}, judgement, gate."]
    for row in result["rows"]:
        known = (f"{row['share_of_oracle']:.0%} of the oracle's Sharpe on average" if "share_of_oracle" in row
                 else f"at most {row['bound']:.1%} with 95 % confidence")
        told.append(f"  {row['kind']:24} {row['promoted']:4} of {row['markets']:4} promoted ({known}); "
                    f"{row['median_seconds']:.0f} s a market")
    return told
