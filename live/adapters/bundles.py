"""Bundles in a folder: `current` names the newest approved one."""

from pathlib import Path

from models.bundle import MANIFEST, current


class FolderBundles:
    """A folder of published bundles, or one bundle's own folder."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def newest(self) -> Path | None:
        return self._path if (self._path / MANIFEST).is_file() else current(self._path)
