"""Run every workload in a process of its own, print a table, and write `bench.json` in the home after each of them."""

import argparse
import ast
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipelines import durable
from pipelines.home import Home
from tests.bench.measure import ROOT, Noise, Row

FOLDER = Path(__file__).parent
COLUMNS = ("workload", "ours_s", "cold_s", "peer", "peer_s", "floor_s", "peak_mb", "samples")


def workloads(folder: Path = FOLDER) -> dict[str, Path]:
    """Modules that define `rows`, by name; told without importing them."""
    return {
        path.stem: path
        for path in sorted(folder.glob("*.py"))
        if any(isinstance(node, ast.FunctionDef) and node.name == "rows" for node in ast.parse(path.read_text()).body)
    }


def run_one(name: str, answer: Path) -> None:
    """Measure one workload here and keep its rows, each with what the machine did meanwhile."""
    noise = Noise()
    rows: list[Row] = importlib.import_module(f"tests.bench.{name}").rows()
    around = noise.words()
    told = [{**row.as_json(), "note": "; ".join(part for part in (row.note, around) if part)} for row in rows]
    durable.write_json(answer, told)


def gathered(parts: Path, known: Iterable[str]) -> list[dict[str, Any]]:
    """All rows measured so far of the workloads that there are."""
    answers = [parts / f"{name}.json" for name in known]
    return [row for answer in answers if answer.exists() for row in json.loads(answer.read_text())]


def cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.3g}" if value < 100 else f"{value:,.0f}"
    return str(value)


def table(rows: list[dict[str, Any]]) -> str:
    lines = [list(COLUMNS), *([cell(row[name]) for name in COLUMNS] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    notes = ["", *(f"\n    {row['note']}" for row in rows)]
    return "\n".join(
        "  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip() + note
        for line, note in zip(lines, notes, strict=True)
    )


def main() -> int:
    known = workloads()
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__, epilog=(
        f"Workloads: {', '.join(known)}. A peer is looked for in $NIGHTDESK_PEERS/<name>/bin/python, null if absent."
    ))
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=list(known), help="these workloads and no other")
    parser.add_argument("--resume", action="store_true", help="leave out what this home has already measured")
    parser.add_argument("--home", type=Path, default=Path(os.environ.get("NIGHTDESK_HOME") or ".nightdesk"),
                        help="where bench.json goes (default NIGHTDESK_HOME, else ./.nightdesk)")
    parser.add_argument("--one", nargs=2, metavar=("NAME", "FILE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        run_one(arguments.one[0], Path(arguments.one[1]))
        return 0
    home = Home(arguments.home.resolve()).prepare()
    parts, failed = home.work / "bench", []
    for name in arguments.only or known:
        answer = parts / f"{name}.json"
        if arguments.resume and answer.exists():
            continue
        print(f"· {name}", file=sys.stderr, flush=True)
        words = [sys.executable, "-W", "ignore", "-m", "tests.bench", "--one", name, str(answer)]
        if subprocess.run(words, cwd=ROOT).returncode:
            failed.append(name)
        durable.write_json(home.root / "bench.json", gathered(parts, known))
    rows = gathered(parts, known)
    print(table(rows))
    print(f"{len(rows)} rows in {home.root / 'bench.json'}", file=sys.stderr)
    if failed:
        print(f"failed: {', '.join(failed)}; what they measured before, if anything, still stands", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
