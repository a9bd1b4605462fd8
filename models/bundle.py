"""The one contract with live: a signed manifest over weights and data, verified before any of it is parsed."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.snapshot import Snapshot
    from models.strategy import Models, StrategyConfig


class BundleRefused(RuntimeError):
    """A bundle that must not trade. `reason` is one plain sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class SessionTimes:
    session: dt.date
    open_at: dt.datetime
    close_at: dt.datetime


@dataclass(frozen=True)
class Bundle:
    """A verified bundle, parsed. `digest` is of weights and manifest without created, expires, seq and signature."""

    path: Path
    manifest: Mapping[str, Any]
    digest: str
    strategy: "StrategyConfig"
    models: "Models"
    snapshot: "Snapshot"
    calendar: tuple[SessionTimes, ...]  # the coming 60 sessions

    @property
    def seq(self) -> int:
        return int(self.manifest["seq"])


def load(
    path: Path, verify_keys: Sequence[bytes], last_seq: int, now: dt.datetime, *, last_digest: str | None = None
) -> Bundle:
    """Law 4's order, all of it, or BundleRefused. `verify_keys` are raw 32-byte Ed25519 public keys. `last_seq` is the
    newest sequence number ever taken here (0 at first); the same one passes only with `last_digest`, on a restart."""
    raise BundleRefused("not yet packed by this version")
