"""All that a body of Databento's holds: it may be of any schema, and of several at once."""

from collections.abc import Callable

from pipelines.vendors import cme, cme_bars, cme_definitions, cme_statistics, dbn
from pipelines.vendors.contents import Unusable
from pipelines.vendors.parsing import Parsed

READERS: dict[str, Callable[[bytes | dbn.Stream, str], Parsed]] = {
    "futures_trades": cme.trades, "futures_ohlcv": cme_bars.bars, "futures_definitions": cme_definitions.definitions,
    "futures_statistics": cme_statistics.statistics,
}  # fmt: skip


def read(body: bytes, path: str) -> list[tuple[str, Parsed]]:
    """By dataset; the body is unpacked and taken apart once. What is wrong with the whole of it is said once.
    A body without a record is of a window in which nothing was told."""
    try:
        stream = dbn.Stream(body)
    except Unusable:
        return [("futures_trades", cme.trades(body, path))]
    return [(dataset, reader(stream, path)) for dataset, reader in READERS.items()] if stream.count else []
