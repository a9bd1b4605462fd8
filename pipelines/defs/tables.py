"""Tables on an asset's page: figures as a person reads them. The files have every digit."""

from collections.abc import Iterable, Mapping
from typing import Any

import dagster as dg

_KINDS = {bool: "bool", int: "int", float: "float"}


def table(rows: Iterable[Mapping[str, Any]]) -> dg.TableMetadataValue:
    """The rows as metadata. None at all are an empty table, and what one row lacks is empty in it."""
    told = list(rows)
    kinds = {name: kind for row in told for name, kind in _kinds(row)}
    names = dict.fromkeys(name for row in told for name in row)
    return dg.MetadataValue.table([dg.TableRecord({name: row.get(name) for name in names}) for row in told],
                                  dg.TableSchema([dg.TableColumn(name, kinds.get(name, "string")) for name in names]))


def _kinds(row: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    return ((name, _KINDS.get(type(value), "string")) for name, value in row.items() if value is not None)


def readable(rows: Iterable[Mapping[str, Any]]) -> dg.TableMetadataValue:
    """The same, figures to four significant digits, or to a tenth from a thousand on."""
    return table({name: short(value) for name, value in row.items()} for row in rows)


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
