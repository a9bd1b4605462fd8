"""What being orchestrated costs: a night's wall time as a person sees it, beside the sum of its steps' own work."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.measure import ROOT, Row, apart

NIGHT = ("nightly", "--set", "sandbox.small=true", "--set", "sandbox.names=8", "--set", "sandbox.sessions=360")


def main() -> None:
    """How long the steps of the newest run in this home took, each from its start to its end."""
    import dagster as dg

    with dg.DagsterInstance.from_config(sys.argv[1]) as instance:
        newest = instance.get_runs(limit=1)[0]
        steps = [one for one in instance.get_run_step_stats(newest.run_id) if one.start_time and one.end_time]
    print(json.dumps({"work_s": sum(one.end_time - one.start_time for one in steps), "steps": len(steps)}))


def night(home: Path) -> tuple[float, float, float, int]:
    """Wall and processor seconds of one whole command, the seconds of its steps, and how many they were."""
    begun, used = time.perf_counter(), _children_s()
    words = [sys.executable, "-W", "ignore", "-m", "pipelines.cli", *NIGHT, "--home", str(home)]
    ran = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    wall, cpu = time.perf_counter() - begun, _children_s() - used
    if ran.returncode:
        raise RuntimeError(f"the night failed:\n{ran.stderr[-2000:]}")
    told = apart("orchestration", str(home / "dagster"))
    return wall, cpu, told["work_s"], told["steps"]


def _children_s() -> float:
    taken = os.times()
    return taken.children_user + taken.children_system


def rows() -> list[Row]:
    found = []
    with tempfile.TemporaryDirectory(prefix="nightdesk-bench-") as folder:
        for name in ("first_night", "unchanged_night"):
            wall, cpu, work, steps = night(Path(folder))
            found.append(Row(
                f"orchestration/{name}", wall, None, None, None, work, None, 1,
                f"{wall / work:.2f} times the {work:.1f} s in which its {steps} steps worked (floor_s); beside them "
                f"{wall - work:.1f} s: start, definitions, records; CPU {cpu:.1f} s; 8 names, 360 sessions",
            ))  # fmt: skip
    return found


if __name__ == "__main__":
    main()
