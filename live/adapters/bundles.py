"""Bundles in a folder: `current` names the newest approved one."""

from pathlib import Path


class FolderBundles:
    """A folder of published bundles, or one bundle's own folder."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def newest(self) -> Path | None:
        if (self._path / "manifest.json").is_file():
            return self._path
        pointer = self._path / "current"
        if not pointer.is_file():
            return None
        return self._path / Path(pointer.read_text().strip()).name
