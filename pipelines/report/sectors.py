"""The sectors of the night's marts as a file of the form in which limits and graphs name groups."""

import datetime as dt
from pathlib import Path

from pipelines import durable
from pipelines.home import Home

NAME = "sectors.toml"
_HEAD = """\
# Who is in which industry, by the SEC's code, as the night's marts know it. A limits file takes these groups by
# `sectors = "…/sectors.toml"`, the graph by `gnn.groups`.
[sectors]
"""


def write(home: Home, now: dt.datetime) -> Path | None:
    """None where no instrument has a sector: then there is nothing to name."""
    from pipelines.lake import marts

    if not (home.marts / "current").exists():
        return None
    with marts.connect(home, as_of=now) as connection:
        found = connection.sql(
            "select sector, list(instrument_id order by instrument_id) from instruments "
            "where sector is not null and delisted_on is null group by all order by all"
        ).fetchall()
    path = home.reports / NAME
    if not found:
        path.unlink(missing_ok=True)
        return None
    lines = [f"{sector} = [\n" + "".join(f'    "{name}",\n' for name in names) + "]\n" for sector, names in found]
    durable.write_atomic(path, (_HEAD + "".join(lines)).encode())
    return path
