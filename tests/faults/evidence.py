"""What a home is, so far as a kill must not change it: digests, files of the lake, and how often anything was done."""

import hashlib
import json
from pathlib import Path
from typing import Any

from pipelines.sqlite import reading
from tests.faults.processes import Forge, in_fork

# Named by content or by number; a second copy or a leftover of a half-done publication shows as another name.
# Parquet of facts and marts is the same byte by byte; a bundle says when it was packed, which is the night's moment.
SAME_FILES = ("lake/raw/facts", "lake/quarantine", "lake/marts", "lake/features", "ledger", "records", "bundles",
              "journal/tapes")
SAME_NAMES = ("lake/raw/bodies", "work/models", "work/tuning", "keys", "reports")
TIMED = {"generation.json"}  # tells how long each of its tests took


def of(forge: Forge, home: Path) -> dict[str, Any]:
    """Everything that is compared. Fits tell their own seconds, so of them only the names count."""
    code, out, err = forge.said(home, "status", "--json")
    if code:
        raise SystemExit(f"status failed: {err}")
    told = json.loads(out)
    return {
        **{f"status {part}": value for part, value in told["digests"].items()},
        "status night": told["night"],
        **{folder: _files(home / folder, with_bytes=True) for folder in SAME_FILES},
        **{folder: _files(home / folder, with_bytes=False) for folder in SAME_NAMES},
        "mlflow runs": _count(home / "mlflow", "runs"),
        "journal entries": _count(home / "journal", "entries"),
    }


def _files(folder: Path, *, with_bytes: bool) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            if with_bytes and path.name not in TIMED else "" for path in files}


def _count(folder: Path, table: str) -> int | None:
    found = [*folder.glob("*.db"), *folder.glob("*.sqlite")]
    if not found:
        return None
    with reading(found[0]) as book:
        return int(book.execute(f"select count(*) from {table}").fetchone()[0])


def differing(wanted: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """The parts that are not the same, with the first few names in each."""
    told = []
    for part in wanted:
        one, other = wanted[part], found.get(part)
        if one == other:
            continue
        names = ""
        if isinstance(one, dict) and isinstance(other, dict):
            unequal = [key for key in sorted({*one, *other}) if one.get(key) != other.get(key)]
            names = f" ({', '.join(unequal[:3])}{' …' if len(unequal) > 3 else ''})"
        told.append(f"{part}{names}")
    return told


def unreadable(forge: Forge, home: Path) -> str:
    """Why the home cannot be used as the kill left it, before anything is run again; empty when it can be."""
    code, out, err = forge.said(home, "sql", "select count(*) from daily_bars", "--json")
    nothing_yet = "no home at" in err or "holds no marts yet" in err
    if code and not nothing_yet:
        return f"sql: {err.strip()[-300:]}"
    if not code and not json.loads(out):
        return "sql: no answer"
    for words in (("status", "--json"), ("models", "verify")):
        code, out, err = forge.said(home, *words)
        if code and "no home at" not in err:
            return f"{' '.join(words)}: {(err or out).strip()[-300:]}"
    return "" if nothing_yet or not in_fork(lambda: _generation(home)) else "the current generation is not whole"


def _generation(home: Path) -> None:
    """Read all of the current generation: its rows must be those that it was published with."""
    from pipelines.digest import table_digest
    from pipelines.home import Home
    from pipelines.lake import marts

    folder = marts.current(Home(home))
    with marts.connect(Home(home)) as connection:
        for mart, digest in marts.mart_digests(folder).items():
            table = connection.sql(f"select * from {mart}_versions").to_arrow_table()
            if table_digest(table, [*marts.GRAINS[mart], "available_at"]) != digest:
                raise ValueError(f"{folder / mart} does not hold what it was published with")


def night(forge: Forge, home: Path) -> Any:
    """Which night the home is in, and whether it is complete."""
    code, out, _ = forge.said(home, "status", "--json")
    return None if code else json.loads(out)["night"]
