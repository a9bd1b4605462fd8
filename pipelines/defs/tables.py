"""Tables on an asset's page: figures as a person reads them. The files have every digit."""

from collections.abc import Iterable, Mapping
from typing import Any

import dagster as dg


def readable(rows: Iterable[Mapping[str, Any]]) -> dg.TableMetadataValue:
    """The rows as metadata: figures to four significant digits, or to a tenth from a thousand on."""
    return dg.MetadataValue.table([dg.TableRecord({name: _short(value) for name, value in row.items()})
                                   for row in rows])


def _short(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    return float(f"{value:.4g}") if abs(value) < 1000 else round(value, 1)
