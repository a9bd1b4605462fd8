"""A second place that live may read bundles from: every file first, the pointer last."""

from pathlib import Path
from typing import Any

from models import bundle as bundle_module
from pipelines.home import Home


def mirror(home: Home, url: str) -> str | None:
    """Bring an address (any that fsspec knows) to what serves here; the folder's name, or None where nothing serves."""
    from fsspec.core import url_to_fs

    files, root = url_to_fs(url)
    files.invalidate_cache()
    pointer, serving = f"{root}/{bundle_module.POINTER}", bundle_module.current(home.bundles)
    if serving is None:
        if files.exists(pointer):
            files.rm_file(pointer)
        return None
    _put_folder(files, serving, f"{root}/{serving.name}")
    # An object store replaces an object whole or not at all, and everything it names is there by now.
    files.pipe_file(pointer, serving.name.encode() + b"\n")
    return serving.name


def _put_folder(files: Any, folder: Path, place: str) -> None:
    files.makedirs(place, exist_ok=True)
    for path in sorted(folder.iterdir()):
        target, data = f"{place}/{path.name}", path.read_bytes()
        if not (files.exists(target) and files.cat_file(target) == data):
            files.pipe_file(target, data)
