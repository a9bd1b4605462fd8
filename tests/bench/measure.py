"""How a workload is measured: rows of bench.json, a median with its first call apart, peers, and what else ran.

Standard library only: the scripts that drive peers import it in their own environments.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Row:
    """One figure of ours and what it stands beside. None: not run, or it has no meaning here."""

    workload: str
    ours_s: float | None = None
    cold_s: float | None = None
    peer: str | None = None
    peer_s: float | None = None
    floor_s: float | None = None
    peak_mb: float | None = None
    samples: int | None = None
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Timing:
    """Wall seconds of the first call and of those after it; and the processor's seconds, which neighbours move less."""

    cold_s: float
    seconds: tuple[float, ...]
    cpu: tuple[float, ...] = ()

    @property
    def runs(self) -> int:
        return len(self.seconds)

    @property
    def median_s(self) -> float:
        return statistics.median(self.seconds)

    def quantile_s(self, share: float) -> float:
        """The nearest-rank quantile: a time that was really taken."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    @property
    def cpu_words(self) -> str:
        """Processor time of all threads, for the note: on a busy machine the wall says little."""
        return f"CPU {statistics.median(self.cpu):.3g} s"


def timed(work: Callable[[], object], *, runs: int) -> Timing:
    """Call `work` once for its cold time and then `runs` times."""
    taken, cpu = [], []
    for _ in range(runs + 1):
        start, used = time.perf_counter(), time.process_time()
        work()
        taken.append(time.perf_counter() - start)
        cpu.append(time.process_time() - used)
    return Timing(taken[0], tuple(taken[1:]), tuple(cpu[1:]))


def peak_mb() -> float:
    """Most memory this process ever held. Measure in a process of its own what must not count a neighbour's."""
    try:  # the program's own; what getrusage tells was in part its parent's, from between fork and exec
        told = Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()
        return round(int(told[0]) / 1024, 1)
    except (OSError, IndexError, ValueError):
        pass
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024), 1)


def inputs() -> Path:
    """Where generated inputs are kept between runs."""
    folder = Path(os.environ.get("NIGHTDESK_BENCH_DATA") or Path(tempfile.gettempdir()) / "nightdesk-bench")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def apart(module: str, *words: str, python: str | Path = sys.executable, **environment: str) -> dict[str, Any]:
    """Run a module of this folder in a fresh process; the JSON object on its last line. Prints nothing else of it."""
    ran = subprocess.run(
        [str(python), "-W", "ignore", "-m", f"tests.bench.{module}", *words], cwd=ROOT, capture_output=True, text=True,
        env={**os.environ, **environment},
    )
    lines = ran.stdout.strip().splitlines()
    if ran.returncode or not lines:
        raise RuntimeError(f"tests.bench.{module} {' '.join(words)}: exit {ran.returncode}\n{ran.stderr[-2000:]}")
    told: dict[str, Any] = json.loads(lines[-1])
    return told


def peer(name: str, module: str, *words: str, **environment: str) -> dict[str, Any] | None:
    """The same in the environment of a peer; None where `NIGHTDESK_PEERS` has none of that name."""
    folder = os.environ.get("NIGHTDESK_PEERS")
    python = Path(folder) / name / "bin" / "python" if folder else None
    if python is None or not python.exists():
        return None
    return apart(module, *words, python=python, **environment)


class Noise:
    """What else the machine did: the load before and after, and the cores that others used in between."""

    def __init__(self) -> None:
        self._load, self._start, self._busy, self._own = os.getloadavg()[0], time.perf_counter(), _busy_s(), _own_s()

    def words(self) -> str:
        load = f"load {self._load:.1f} before, {os.getloadavg()[0]:.1f} after"
        if self._busy is None:
            return load
        wall = max(time.perf_counter() - self._start, 1e-9)
        others = max(0.0, ((_busy_s() or 0.0) - self._busy) - (_own_s() - self._own)) / wall
        return f"{load}, others used {others:.1f} of {os.cpu_count()} cores"


def _busy_s() -> float | None:
    """Seconds all cores of this machine have worked, where it tells (Linux)."""
    try:
        ticks = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    except OSError:
        return None
    return (sum(ticks[:8]) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


def _own_s() -> float:
    taken = os.times()
    return taken.user + taken.system + taken.children_user + taken.children_system
