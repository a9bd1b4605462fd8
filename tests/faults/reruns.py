"""The same night again and again, each time from nothing: the same models, verdict, bundle and figures, to the byte.

`python -m tests.faults.reruns --times 10` (`make proof-reruns`) lives the small sandbox night in fresh homes with the
same commit, seed and moment, the first as a person's own process; it keeps what it has seen and so resumes."""

import argparse
import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from pipelines.evidence.provenance import made_by
from tests.faults import evidence
from tests.faults.nightlies import NIGHTLY, ROOT
from tests.faults.processes import Forge

# What tells how long something took, or which process it was: of the machine, not of the night.
_TIMED = re.compile(r"[\d.,]+\s(?:s|min)\b")
_CLOCK = {"seconds", "wall_s", "took_s", "run_id", "generation", "spent_s"}
SECTIONS = ("judged", "verdict", "bundle", "decay", "ladder", "drift", "leak", "training")


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _timeless(one) for name, one in value.items() if name not in _CLOCK and "second" not in name}
    return [_timeless(one) for one in value] if isinstance(value, list) else value


def seen(forge: Forge, home: Path) -> dict[str, str]:
    """A digest of each thing that must come again: what stands in the home, each step's figures, the page."""
    told = {name: value for name, value in evidence.of(forge, home).items()}
    for name in SECTIONS:
        path = home / "work" / "sections" / f"{name}.json"
        told[f"section {name}"] = _timeless(json.loads(path.read_text())) if path.exists() else None
    page = home / "reports" / (home / "reports" / "latest").read_text().strip() / "index.html"
    told["page"] = _TIMED.sub("", page.read_text())
    told["equity"] = page.with_name("judged-equity.csv").read_text()
    record = json.loads(sorted((home / "records").glob("*/record.json"))[-1].read_bytes())["content"]
    told["weights"], told["checks"] = record["inputs"]["weights"], record["verdict"]
    return {name: hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
            for name, value in told.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--folder", type=Path, default=ROOT / ".nightdesk" / "reruns")
    arguments = parser.parse_args()
    code = hashlib.sha256(subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True).stdout)
    folder = arguments.folder / code.hexdigest()[:12]
    folder.mkdir(parents=True, exist_ok=True)
    forge, different = Forge(ROOT, folder / "log.txt"), 0
    made_by()  # asked once for all: a commit in between is no business of the night
    for number in range(arguments.times):
        answer, home = folder / f"{number}.json", folder / f"home-{number}"
        if not answer.exists():
            shutil.rmtree(home, ignore_errors=True)
            if (keys := folder / "keys").exists():
                shutil.copytree(keys, home / "keys")  # the same desk, so the same signatures
            ended = forge.person(home, NIGHTLY) if number == 0 else forge.run(home, NIGHTLY)[0]
            if ended:
                raise SystemExit(f"the night ended with {ended}: {forge.log}")
            if not (folder / "keys").exists():
                shutil.copytree(home / "keys", folder / "keys")
            answer.write_text(json.dumps(seen(forge, home), indent=1))
            shutil.rmtree(home)
        first, told = json.loads((folder / "0.json").read_text()), json.loads(answer.read_text())
        apart = sorted(name for name in first if first[name] != told.get(name))
        different += bool(apart)
        print(f"night {number + 1:2}: {'the same' if not apart else 'differs in ' + ', '.join(apart)}", flush=True)
    print(f"{arguments.times - different} of {arguments.times} the same, in {len(first)} things compared")
    return 1 if different else 0


if __name__ == "__main__":
    raise SystemExit(main())
