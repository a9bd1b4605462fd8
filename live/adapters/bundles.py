"""Where bundles come from: a folder whose `current` names the newest approved one, or an address that holds such."""

import re
from pathlib import Path

from live.ports import BundleSource
from models.bundle import MANIFEST, current


class FolderBundles:
    """A folder of published bundles, or one bundle's own folder."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def newest(self) -> Path | None:
        return self._path if (self._path / MANIFEST).is_file() else current(self._path)


FETCHED = "fetched-bundles"  # beside the journal


def source_of(where: Path | str, journal: Path) -> BundleSource:
    """The source that a person named. What comes from an address is kept beside the journal."""
    address = address_of(where)
    if address is None:
        return FolderBundles(Path(where))
    from live.adapters.bundle_urls import UrlBundles

    return UrlBundles(address, journal.parent / FETCHED)


def address_of(where: Path | str) -> str | None:
    """`s3://bucket/bundles`, also where a Path has swallowed one of its slashes; None for a folder."""
    found = re.match(r"([a-z][a-z0-9+]+):/+(.*)", str(where))
    if found is None:
        return None
    scheme, rest = found.groups()
    return f"{scheme}:///{rest}" if scheme == "file" else f"{scheme}://{rest}"
