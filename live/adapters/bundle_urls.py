"""Bundles behind any address that fsspec knows (s3://, gs://, sftp://, file://): fetched whole into a folder of ours,
and verified there like any other."""

import os
import re
import shutil
from pathlib import Path
from typing import Any

from models.bundle import MOST_BYTES, POINTER, BundleRefused

_NAME = re.compile(r"\d{6,12}-[0-9a-f]{12}")  # as publications are named; nothing else may become a path
_POINTER_BYTES = 64


class UrlBundles:
    """What the address's `current` names. An address that does not answer is an error that says so: whoever trades
    keeps the bundle it has."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url, self._folder = url, folder

    def newest(self) -> Path | None:
        files, root = _filesystem(self._url)
        try:
            name = _read(files, f"{root}/{POINTER}", _POINTER_BYTES).decode("ascii", "replace").strip()
        except FileNotFoundError:
            return None
        if not _NAME.fullmatch(name):
            raise BundleRefused(f"`{POINTER}` at {self._url} does not name a bundle")
        final = self._folder / name
        if not final.exists():
            self._fetch(files, f"{root}/{name}", final)
        return final

    def _fetch(self, files: Any, place: str, final: Path) -> None:
        """All of it or nothing: a half-fetched bundle is never seen under its name."""
        staging = self._folder / f".{final.name}.{os.getpid()}"
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        try:
            for name, most in MOST_BYTES.items():
                (staging / name).write_bytes(_read(files, f"{place}/{name}", most))
            staging.rename(final)
        except FileNotFoundError as missing:
            raise BundleRefused(f"the bundle at {place} lacks a file: {missing}") from missing
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def _filesystem(url: str) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs
    except ModuleNotFoundError as missing:
        raise ValueError(f"a bundle at {url} needs fsspec: pip install 'nightdesk[remote]'") from missing
    try:
        files, root = url_to_fs(url)
    except ImportError as missing:  # the client of this kind of address
        raise ValueError(f"a bundle at {url} needs a library of its own: {missing}") from missing
    files.invalidate_cache()
    return files, str(root).rstrip("/")


def _read(files: Any, place: str, most: int) -> bytes:
    """A file's bytes, never more than it may have, whatever the other side says of its size."""
    with files.open(place, "rb") as source:
        data: bytes = source.read(most + 1)
    if len(data) > most:
        raise BundleRefused(f"{place} is larger than the {most:,} bytes that it may have")
    return data
