"""For child processes: pretend this is a base install, as lightgbm and pyarrow take pandas up where they find it."""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from typing import Any

HIDDEN = ("pandas", "sklearn")


class Hide(MetaPathFinder):
    def find_spec(self, fullname: str, path: Sequence[str] | None, target: Any = None) -> None:
        if fullname.split(".")[0] in HIDDEN:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)


sys.meta_path.insert(0, Hide())
