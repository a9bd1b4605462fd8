"""Rows that tell of what had not happened yet when they were received: refused before they become facts."""

import datetime as dt
import json

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.lake.clocks import with_clocks
from pipelines.lake.schemas import INSTANT
from pipelines.vendors.contents import TEXT_LIMIT
from pipelines.vendors.parsing import Parsed, Reject

# Of days to come these may tell; all others observe what was.
_ANNOUNCED = {"tickers", "ticker_events", "splits", "dividends", "market_days", "borrow"}
_LATE = dt.timedelta(days=1)  # the running day's own figures, and clocks that differ
_UNTIMED = dt.timedelta(days=366)  # a body that nobody timed may be read as of a time before its own


def refuse_the_future(dataset: str, parsed: Parsed, received_at: dt.datetime | None, now: dt.datetime) -> Parsed:
    """What could have been seen stays, and there is a reject for each row that could not."""
    table, rejects = parsed
    if dataset in _ANNOUNCED or not table.num_rows:
        return parsed
    latest = pa.scalar(received_at + _LATE if received_at else now + _UNTIMED, INSTANT)
    ahead = pc.greater(with_clocks(dataset, table)["event_time"], latest)
    if not pc.any(ahead).as_py():
        return parsed
    found = [
        Reject("bad_time", row.pop("row_index"), json.dumps(row, default=str)[:TEXT_LIMIT])
        for row in table.filter(ahead).to_pylist()
    ]
    return table.filter(pc.invert(ahead)), sorted([*rejects, *found], key=lambda reject: reject.row_index)
