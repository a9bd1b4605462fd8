"""`python -m tests.truth.leaks --markets 50 --work DIR`: the nightly's own leak gate on clean markets, each of another
seed, lived through a late split and a corrected bar. Any finding is a false alarm. Resumes where it was stopped."""

import argparse
import json
import shutil
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

from pipelines import durable
from pipelines.store import build, leak
from pipelines.store.recipe import USUAL
from tests.truth.planting import live_through


def one_market(folder: Path, seed: int) -> dict[str, Any]:
    """What the gate says of every registered feature on this market."""
    begun = time.perf_counter()
    home, now = live_through(folder, seed=seed)
    for view, features in USUAL.families().items():
        build.build_family(home, view, features)
    section = leak.run_gate(home, now=now, seed=seed, decision_times=2)
    return {"seed": seed, "clean": section["passed"] and section["parity_passed"], "findings": section["findings"],
            "parity_broken": section["parity_broken"], "decision_times": section["decision_times"],
            "variants": section["variants"], "compared_values": section["compared_values"],
            "seconds": round(time.perf_counter() - begun, 1)}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.truth.leaks", description=__doc__)
    parser.add_argument("--markets", type=int, default=50)
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "nightdesk-clean-markets")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    alarms = 0
    for seed in range(1, arguments.markets + 1):
        answer = arguments.work / f"market-{seed:03d}.json"
        if not answer.exists():
            folder = arguments.work / f"home-{seed:03d}"
            shutil.rmtree(folder, ignore_errors=True)
            told = one_market(folder, seed)
            durable.write_json(answer, told)
            shutil.rmtree(folder)
        told = json.loads(answer.read_text())
        alarms += not told["clean"]
        print(f"market {seed:3d}: {'clean' if told['clean'] else 'ALARM'}, {told['compared_values']:,} values at "
              f"{' and '.join(at[:10] for at in told['decision_times'])} ({', '.join(told['variants'])}), "
              f"{told['seconds']} s", flush=True)  # fmt: skip
    print(f"{alarms} alarms on {arguments.markets} clean markets")
    return 1 if alarms else 0


if __name__ == "__main__":
    raise SystemExit(main())
