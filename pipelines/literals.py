"""Values from outside as DuckDB reads them: literals for statements that take no parameters (views, COPY), and paths,
which it takes for patterns. A folder may be called anything: `it's [mine]` is one."""

import datetime as dt
import glob
from pathlib import Path


def text(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def instant(moment: dt.datetime) -> str:
    return f"timestamptz '{moment.astimezone(dt.UTC).isoformat(sep=' ')}'"


def one_file(path: Path) -> str:
    """The pattern that means this file alone."""
    return glob.escape(str(path))


def every_batch(facts: Path, dataset: str) -> str:
    """The pattern that means a dataset's file in each batch."""
    return f"{glob.escape(str(facts))}/batch-*/{dataset}.parquet"
