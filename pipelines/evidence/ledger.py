"""The trial ledger: every fit that is scored is a row, written before it is scored. Append-only, chained, and its
length told beside it, so that a tail which was cut off is missed."""

import datetime as dt
import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pipelines import durable, failpoints

Kind = Literal["outer", "backtest", "inner", "diagnostic", "reserve"]
GENESIS = "0" * 64


class LedgerBroken(RuntimeError):
    """The ledger's chain does not hold: nothing may be promoted on it."""


@dataclass(frozen=True)
class Trial:
    """`outer` counts into N, and so does a `backtest` by hand of what no night has judged; `inner` tuning and
    `diagnostic` fits stand beside it, and nothing is promoted from them; `reserve` is its setting aside and opening.

    `detail` says on what (data digest, folds): a refit on new data is a new row, but not a new N."""

    kind: Kind
    target: str
    config_key: str
    seed: int
    detail: dict[str, Any]

    def identity(self) -> str:
        text = json.dumps([self.kind, self.target, self.config_key, self.seed, self.detail],
                          sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def _line(trial: Trial, row: int, previous: str, now: dt.datetime) -> tuple[bytes, str]:
    body = {"row": row, "prev": previous, "identity": trial.identity(), "kind": trial.kind, "target": trial.target,
            "config_key": trial.config_key, "seed": trial.seed, "detail": trial.detail,
            "registered_at": now.isoformat()}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return text.encode() + b"\n", hashlib.sha256(text.encode()).hexdigest()


class Ledger:
    """One file a home, `trials.jsonl`, and `trials.head` beside it. Opening it drops a last line that a kill tore: it
    was never acknowledged."""

    def __init__(self, folder: Path) -> None:
        self.path, self.anchor = folder / "trials.jsonl", folder / "trials.head"
        self._rows: list[dict[str, Any]] = []
        self._known: set[str] = set()
        self._hashes: list[str] = []
        self._load()

    def _load(self) -> None:
        if not self.path.exists():
            return
        data = self.path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole != len(data):
            with open(self.path, "r+b") as torn:
                torn.truncate(whole)
                os.fsync(torn.fileno())
        for number, line in enumerate(data[:whole].splitlines()):
            try:
                row = json.loads(line)
                sound = row["prev"] == self.head and row["row"] == number
            except (ValueError, KeyError, TypeError):
                sound = False
            if not sound:
                raise LedgerBroken(f"{self.path}, row {number}: the chain is broken; restore the ledger from a backup. "
                                   "Without it nothing can be promoted")
            self._rows.append(row)
            self._known.add(row["identity"])
            self._hashes.append(hashlib.sha256(line).hexdigest())

    @property
    def head(self) -> str:
        return self._hashes[-1] if self._hashes else GENESIS

    @property
    def cut(self) -> str | None:
        """What is missing of the rows that the anchor remembers, in words; the anchor may lag behind by one write."""
        if not self.anchor.exists():
            return None
        try:
            told = json.loads(self.anchor.read_bytes())
            rows, head = int(told["rows"]), told["head"]
        except (ValueError, KeyError, TypeError):
            return f"{self.anchor} cannot be read"
        if rows > len(self._hashes) or rows < 1 or self._hashes[rows - 1] != head:
            return (f"{self.path} has {len(self._hashes)} rows and its anchor remembers row {rows}: trials were cut "
                    "off or replaced; restore the ledger from a backup. Without it nothing can be promoted")
        return None

    def register(self, kind: Kind, target: str, config_key: str, seed: int, detail: dict[str, Any],
                 now: dt.datetime) -> str:
        """Write one trial down before it is scored; the same trial again is the same row. Returns its identity."""
        return self.register_many([Trial(kind, target, config_key, seed, detail)], now)[0]

    def register_many(self, trials: Iterable[Trial], now: dt.datetime) -> list[str]:
        """Several trials in one synced write."""
        if why := self.cut:
            raise LedgerBroken(why)
        identities, lines = [], []
        for trial in trials:
            identities.append(trial.identity())
            if trial.identity() in self._known:
                continue
            line, digest = _line(trial, len(self._rows), self.head, now)
            lines.append(line)
            self._rows.append(json.loads(line))
            self._known.add(trial.identity())
            self._hashes.append(digest)
        if lines:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            failpoints.reached("ledger.staged")
            with open(self.path, "ab") as out:
                out.write(b"".join(lines))
                out.flush()
                failpoints.reached("ledger.written")
                os.fsync(out.fileno())
            failpoints.reached("ledger.synced")
        if lines or self._behind():  # a kill between the two leaves rows that no anchor remembers
            durable.write_json(self.anchor, {"rows": len(self._hashes), "head": self.head}, failpoint="ledger_head")
        return identities

    def _behind(self) -> bool:
        return bool(self._rows) and (
            not self.anchor.exists() or json.loads(self.anchor.read_bytes())["rows"] < len(self._rows))

    def n(self, target: str) -> int:
        """Distinct (configuration, seed) pairs ever judged on the outer window of one target, by a night or by hand,
        one walked in another way being another. It never falls."""
        judged, by_hand = set(), set()
        for row in self._rows:
            if row["target"] == target and row["kind"] == "outer":
                judged.add((row["config_key"], row["seed"], json.dumps(row["detail"].get("walk"), sort_keys=True)))
            elif row["target"] == target and row["kind"] == "backtest":
                by_hand.add((row["config_key"], row["seed"]))
        return len(judged) + len(by_hand - {(key, seed) for key, seed, _ in judged})

    def rows(self, kind: Kind | None = None) -> list[dict[str, Any]]:
        return [row for row in self._rows if kind is None or row["kind"] == kind]

    def holds(self, head: str) -> bool:
        """Whether a head that was written down elsewhere is part of this chain: a cut or swapped ledger has lost it."""
        return head == GENESIS or head in self._hashes

    def verify(self) -> int:
        """Recompute the whole chain from the file, and the identity of every row; returns how many rows stand."""
        fresh = Ledger(self.path.parent)
        if why := fresh.cut:
            raise LedgerBroken(why)
        for row in fresh._rows:
            trial = Trial(row["kind"], row["target"], row["config_key"], row["seed"], row["detail"])
            if trial.identity() != row["identity"]:
                raise LedgerBroken(f"{self.path}, row {row['row']}: its identity does not match what it says")
        return len(fresh._rows)
