"""What the live page shows, as one document: for a program, and for a person without a browser."""

from pathlib import Path
from typing import Any

from live.settings import load_limits
from live.stream import spoken
from live.view import View
from models.market.costs import CostModel


def documents(journal: Path, kill_file: Path, limits: Path | None) -> dict[str, Any]:
    view = View(journal, kill_file, load_limits(limits), CostModel.default().capital_usd)
    told = {"status": view.status(), "positions": view.positions(), "limits": view.used(), "bundle": view.bundle(),
            "pnl": {name: value for name, value in view.pnl().items() if name != "sessions"}}
    document: dict[str, Any] = spoken(told)
    return document
