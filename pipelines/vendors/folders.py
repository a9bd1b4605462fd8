"""All files under a folder that somebody else has filled: whatever lies there, the walk ends, and says what it left."""

import os
from collections.abc import Iterator
from pathlib import Path

from pipelines.progress import say


def files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Each readable place's name below the folder, with slashes, and the file; in the order of their names.

    Links are followed, to a folder once only. Pipes, sockets and devices are no files: to open one may be to wait for
    ever."""
    found: list[tuple[str, Path]] = []
    waiting, linked, entered = [("", folder)], list[tuple[str, Path]](), set[tuple[int, int]]()
    above_all = {(one.stat().st_dev, one.stat().st_ino) for one in folder.resolve().parents}
    while waiting or linked:  # a folder keeps its own name where a link leads to it, too
        above, place = waiting.pop() if waiting else linked.pop(0)
        try:
            about = place.stat()
            if (about.st_dev, about.st_ino) in entered:
                say(f"    {above}: left out, the same folder was read under another name")
                continue
            if (about.st_dev, about.st_ino) in above_all:
                say(f"    {above}: left out, it leads to what the source itself lies in")
                continue
            entered.add((about.st_dev, about.st_ino))
            with os.scandir(place) as inside:
                entries = sorted(inside, key=lambda entry: entry.name)
        except OSError as problem:
            say(f"    {above or place}: left out, it cannot be read: {problem.strerror or problem}")
            continue
        for entry in entries:
            name = f"{above}/{entry.name}" if above else entry.name
            try:
                name.encode()
                is_folder, is_file = entry.is_dir(), entry.is_file()
            except UnicodeEncodeError:
                say(f"    {os.fsencode(name)!r}: left out, its name is not in UTF-8")
                continue
            except OSError:  # a link in a circle
                is_folder = is_file = False
            if is_folder:
                (linked if entry.is_symlink() else waiting).append((name, Path(entry.path)))
            elif is_file:
                found.append((name, Path(entry.path)))
            else:
                say(f"    {name}: left out, it is no file")
    yield from sorted(found)
