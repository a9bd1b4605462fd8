"""Whole nightlies, killed at every publication and at random moments, then run again: the digests of an uninterrupted
run must come back. `python -m tests.faults.nightlies --kills 5` (resumes; results lie in --folder)."""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# A small market: what is killed is the writing, not the learning.
SMALL = ["--set", "sandbox.names=6", "--set", "sandbox.sessions=340", "--set", "sandbox.chain_sessions=6",
         "--set", "sandbox.tick_sessions=2", "--set", "training.optuna_trials=2", "--set", "training.boost_rounds=20",
         "--set", "training.gnn_epochs=3"]
PUBLICATIONS = [
    "raw.renamed", "quarantine.staged", "lake.staged", "lake.renamed", "marts.staged", "marts.renamed",
    "marts_pointer.staged", "marts_pointer.renamed", "features.staged", "features.renamed", "ledger.staged",
    "ledger.written", "ledger.synced", "record.staged", "record.renamed", "bundle.staged", "bundle.renamed",
    "bundle_pointer.staged", "bundle_pointer.renamed",
]


def command(home: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "pipelines.cli", *words, "--home", str(home)]


def run(home: Path, *words: str, failpoint: str = "", kill_after_s: float | None = None) -> int:
    environment = {**os.environ, **({"NIGHTDESK_FAILPOINT": failpoint} if failpoint else {})}
    with open(home.with_suffix(".log"), "a") as log:
        process = subprocess.Popen(command(home, *words), cwd=ROOT, env=environment, stdout=log, stderr=log,
                                   start_new_session=True)
        try:
            return process.wait(timeout=kill_after_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return process.wait()


def digests(home: Path) -> dict[str, object]:
    told = subprocess.run(command(home, "status", "--json"), cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(told.stdout)["digests"]


def one_home(folder: Path, name: str, keys_of: Path | None) -> Path:
    home = folder / name
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    if keys_of is not None:  # the same desk, so the same signing keys
        shutil.copytree(keys_of / "keys", home / "keys")
    return home


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=5, help="random moments beside the named publications")
    parser.add_argument("--folder", type=Path, default=ROOT / ".nightdesk" / "proof-kill")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="one failpoint")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    done_path = arguments.folder / "done.json"
    done: dict[str, object] = json.loads(done_path.read_text()) if done_path.exists() else {}
    reference = arguments.folder / "reference"
    if "reference" not in done:
        one_home(arguments.folder, "reference", None)
        begun = time.monotonic()
        if run(reference, "nightly", *SMALL) or run(reference, "live", *SMALL):
            print(f"the uninterrupted run failed: {reference.with_suffix('.log')}")
            return 1
        done["reference"] = {"seconds": time.monotonic() - begun, "digests": digests(reference)}
        done_path.write_text(json.dumps(done))
    seconds, wanted = done["reference"]["seconds"], done["reference"]["digests"]
    moments = random.Random(arguments.seed)
    cases = [(point, None) for point in ([arguments.only] if arguments.only else PUBLICATIONS)]
    if not arguments.only:
        cases += [(f"random-{i}", moments.uniform(0.1, 0.95) * seconds) for i in range(arguments.kills)]
    wrong = 0
    for name, moment in cases:
        if done.get(name) is True:
            continue
        home = one_home(arguments.folder, name, reference)
        died = run(home, "nightly", *SMALL, failpoint="" if moment else name, kill_after_s=moment)
        again = run(home, "nightly", *SMALL) or run(home, "live", *SMALL)
        found = digests(home) if not again else {}
        same = found == wanted
        differing = [key for key in wanted if found.get(key) != wanted[key]]
        reached = died == -signal.SIGKILL
        print(f"{name}: {'killed' if reached else f'NOT REACHED (exit {died})'}, rerun "
              f"{'same digests' if same else f'DIFFERS in {differing}'}", flush=True)
        wrong += not (same and reached)
        if same and reached:
            done[name] = True
            done_path.write_text(json.dumps(done))
            shutil.rmtree(home)
    print(f"{len(cases) - wrong} passed, {wrong} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
