"""Which of our modules a module reads, and what these read in turn: what must count where code is part of a digest."""

import ast
from collections.abc import Iterable
from pathlib import Path

from tests.conftest import ROOT


def named_in(path: Path) -> list[Path]:
    """Modules of the house that it imports anything from."""
    named = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    told = [(ROOT / (node.module or "").replace(".", "/"), name.name) for node in named for name in node.names]
    asked = [place / f"{name}.py" if (place / f"{name}.py").exists() else place.with_suffix(".py")
             for place, name in told]
    return [one for one in asked if one.exists()]


def read_by(begin: Iterable[Path]) -> set[str]:
    """Relative to the checkout, those that it begins with included."""
    through: set[Path] = set()
    coming = list(begin)
    while coming:
        path = coming.pop()
        if path not in through:
            through.add(path)
            coming += named_in(path)
    return {path.relative_to(ROOT).as_posix() for path in through}
