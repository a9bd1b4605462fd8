"""Lists that a desk keeps itself, landed beside what vendors say: kept by hash, on two clocks, taken back when gone."""

import datetime as dt
from collections.abc import Iterator

from pipelines.lake import raw
from pipelines.settings import Settings, SettingsError
from pipelines.vendors.desk import borrow
from pipelines.vendors.layout import Delivery


def deliveries(settings: Settings, held: raw.Held, now: dt.datetime) -> Iterator[Delivery]:
    """The list of what can be borrowed, where the settings name one and it is another than the lake's newest. The
    first counts from the days that it names, each later one from now."""
    file = settings.borrow.file
    if file is None:
        return
    path = f"desk/borrow.{'json' if file.suffix.lower() == '.json' else 'csv'}"
    try:
        body = file.expanduser().read_bytes()
    except OSError as problem:
        raise SettingsError(f"borrow.file {file}: {problem.strerror or problem}; name a CSV or JSON list of what can "
                            "be borrowed, or leave the setting out") from None
    _, rejects = borrow(body, path)
    if rejects:
        first = rejects[0]
        where = f"entry {first.row_index + 1}, " if first.row_index >= 0 else ""
        raise SettingsError(f"borrow.file {file}: {where}{first.reason}: {first.row_text[:200]}; nothing of the list "
                            "was taken, since a short that nobody lends is worse than no night")
    sha256, newest = raw.sha256_of(body), held.newest.get(path)
    if newest is None or newest["sha256"] != sha256:
        yield Delivery(path, sha256, lambda: body, None if newest is None else now)
