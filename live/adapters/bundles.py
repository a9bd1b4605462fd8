"""Where bundles come from: a folder whose `current` names the newest approved one, or an address that holds such."""

from pathlib import Path

from live.ports import BundleSource
from models.bundle import MANIFEST, current


class FolderBundles:
    """A folder of published bundles, or one bundle's own folder."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def newest(self) -> Path | None:
        return self._path if (self._path / MANIFEST).is_file() else current(self._path)


def source_of(where: Path | str, fetched: Path) -> BundleSource:
    """The source that a person named. What comes from an address is kept in `fetched`."""
    if "://" not in str(where):
        return FolderBundles(Path(where))
    from live.adapters.bundle_urls import UrlBundles

    return UrlBundles(str(where), fetched)
