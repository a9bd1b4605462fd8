"""Tables on an asset's page: figures as a person reads them. The files have every digit."""

from collections.abc import Iterable, Mapping
from typing import Any

import dagster as dg


def readable(rows: Iterable[Mapping[str, Any]]) -> dg.TableMetadataValue:
    """The rows as metadata: figures to four significant digits, or to a tenth from a thousand on."""
    return dg.MetadataValue.table([dg.TableRecord({name: short(value) for name, value in row.items()})
                                   for row in rows])


def pairs(values: Mapping[str, Any], name: str = "name", value: str = "value") -> dg.TableMetadataValue:
    """A row for each of these, in their order."""
    return dg.MetadataValue.table([dg.TableRecord({name: key, value: _said(one)}) for key, one in values.items()],
                                  dg.TableSchema([dg.TableColumn(name), dg.TableColumn(value)]))


def _said(value: Any) -> str:
    """Of one column, so of one type: a table's column has only one."""
    value = short(value)
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def short(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    return float(f"{value:.4g}") if abs(value) < 1000 else round(value, 1)
