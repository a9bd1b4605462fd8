"""What goes wrong with one field of a row, by what the field is, and the reasons for which such a row may be refused.

A role with a question mark may be missing; all others may not."""

from collections.abc import Callable, Mapping
from typing import Any

Spoil = tuple[Callable[[Any], Any], set[str]]
NAN, INF, LONG = float("nan"), float("inf"), 10**400
_KIND, _GONE = {"bad_type"}, {"missing_field"}
_PRICE, _RANGE, _VOLUME = {"bad_price"}, {"bad_range"}, {"bad_volume"}
_TIME, _SYMBOL = {"bad_time"}, {"bad_symbol"}
_NO_NUMBER: tuple[tuple[Any, set[str]], ...] = (("12.5", _KIND), (True, _KIND), ([], _KIND), ({"x": 1}, _KIND))
_NO_TEXT: tuple[tuple[Any, set[str]], ...] = ((7, _KIND), (True, _KIND), ([], _KIND), ("\ud800", _KIND))


def _numbers(reasons: set[str], *values: Any) -> tuple[tuple[Any, set[str]], ...]:
    return (*((value, reasons) for value in (NAN, INF, -INF, 1e308, LONG, *values)), *_NO_NUMBER)


JSON: dict[str, tuple[tuple[Any, set[str]], ...]] = {
    "price": _numbers(_PRICE | _RANGE, -1.0, 0),
    "high": ((1.0, _RANGE), *_NO_NUMBER),
    "low": ((1e6, _RANGE), *_NO_NUMBER),
    "volume": _numbers(_VOLUME, -5, 1e16),
    "count": _numbers(_VOLUME, -1),
    "ratio": _numbers(_RANGE, 0, -1, 1e10),
    "cash": _numbers(_PRICE, -0.5, 1e10),
    "quote": _numbers(_PRICE | _RANGE, -1.0),
    "iv": _numbers(_RANGE, -0.2, 2e3),
    "delta": _numbers(_RANGE, 1.5, -2),
    "gamma": _numbers(_RANGE, -0.1),
    "strike": ((1.0, _SYMBOL),),
    "right": (("put", _SYMBOL),),
    "name": (("", _GONE), ("no ticker!", _SYMBOL), ("\u0391", _SYMBOL), ("A" * 500, _SYMBOL), *_NO_TEXT),
    "contract": (("", _GONE), ("AAPL", _SYMBOL), ("SPXW251332C00001000", _SYMBOL), ("SPXW250630C000001000", _SYMBOL),
                 *_NO_TEXT),
    "text": (("", _GONE), *_NO_TEXT),
    "status": (("party", {"schema_drift"}), *_NO_TEXT),
    "flag": (("yes", _KIND), (1, _KIND)),
    "month": (("FOO 2025", _SYMBOL), ("", _GONE), ("AUGUST", _SYMBOL), *_NO_TEXT),
    "commas": (("many", _KIND), ("-5", _VOLUME), ("1,23,4", _KIND), ("1e308", _VOLUME), (-5, _VOLUME), ([], _KIND)),
    "date": (("yesterday", _TIME), ("2025-13-01", _TIME), ("1970-01-01", _TIME), ("9999-12-31", _TIME),
             (20250630, _KIND), ([], _KIND), ("\ud800", _KIND)),
    "moment": (("noon", _TIME), ("2025-07-04T13:00:00", _TIME), (7, _KIND)),
    # Seconds, micro- and nanoseconds for milliseconds, a Sunday, what never comes.
    "ms": _numbers(_TIME, 0, -1, 1_751_290_200, 1_751_290_200_000_000, 1_751_290_200_000_000_000, 1_751_176_800_000,
                   4_000_000_000_000),
}  # fmt: skip
_CELL_NUMBER: tuple[tuple[Any, set[str]], ...] = (("", _GONE), ("x", _KIND), ("1_0", _KIND), ("0x10", _KIND),
                                                  ("\u0661", _KIND), ("12..5", _KIND), ("--", _KIND))  # fmt: skip


def _cells(reasons: set[str], *values: str) -> tuple[tuple[Any, set[str]], ...]:
    unreal = ((value, reasons | _KIND | _GONE) for value in ("nan", "inf", "-inf"))
    return (*((value, reasons) for value in ("1e308", "9" * 400, *values)), *unreal, *_CELL_NUMBER)


CELL: dict[str, tuple[tuple[Any, set[str]], ...]] = {
    "price": _cells(_PRICE | _RANGE, "-1", "0"),
    "level": _cells(_PRICE | _RANGE, "-1", "0", "99999"),
    "high": (("1", _RANGE), ("x", _KIND)),
    "low": (("99999", _RANGE), ("x", _KIND)),
    "volume": _cells(_VOLUME, "-5"),
    "count": (("-1", _VOLUME), ("x", _KIND)),
    "quote": _cells(_PRICE | _RANGE, "-1"),
    "iv": _cells(_RANGE, "-0.2"),
    "delta": _cells(_RANGE, "7"),
    "name": (("", _GONE), ("no ticker!", _SYMBOL), ('"AAA', _SYMBOL), ("\u0391", _SYMBOL)),
    "contract": (("", _GONE), ("AAPL", _SYMBOL), ("SPXW251332C00001000", _SYMBOL)),
    "ns": (("", _GONE), ("x", _KIND), *((text, _TIME) for text in (
        "0", "-1", "1751290200", "1751290200000", "1751290200000000", "4000000000000000000", "1e30"))),
    "us_date": (("", _GONE), ("13/45/2025", _TIME), ("yesterday", _TIME), ("01/01/1970", _TIME), ("20250630", _TIME)),
    "more": (("1", _KIND),),
    "less": (("1", _GONE), ("3", _GONE)),
    "extra": (("7", _KIND),),
    "size": ((0, _VOLUME), (2**32 - 1, _VOLUME)),
    "side": (("X", _KIND), ("b", _KIND)),
    "raw": (({"price": 2**63 - 1}, _PRICE), ({"ts_event": 0}, _TIME), ({"ts_event": 2**64 - 1}, _TIME),
            ({"ts_event": 1_751_290_200_000}, _TIME),
            ({"instrument": 77}, {"unknown_instrument"})),
    "ohlcv": (({"open": 2**63 - 1}, _PRICE), ({"high": -38 * 10**9}, _RANGE), ({"low": -37 * 10**9}, _RANGE),
              ({"volume": 0}, _VOLUME), ({"volume": 2**64 - 1}, _VOLUME), ({"ts_event": 2**64 - 1}, _TIME),
              ({"ts_event": 1_751_290_217 * 10**9}, _TIME), ({"instrument_id": 77}, {"unknown_instrument"})),
    "definition": (({"raw_symbol": b""}, {"bad_symbol"}), ({"ts_recv": 2**64 - 1}, _TIME), ({"ts_recv": 5}, _TIME),
                   ({"expiration": 2**64 - 2}, _TIME), ({"activation": 7}, _TIME), ({"maturity_month": 13}, _TIME),
                   ({"maturity_year": 25}, _TIME)),
    "statistic": (({"ts_ref": 2**64 - 1}, _GONE), ({"ts_ref": 3}, _TIME), ({"ts_recv": 2**64 - 1}, _TIME),
                  ({"quantity": -1}, _VOLUME), ({"quantity": 2**62}, _VOLUME), ({"update_action": 7}, _KIND),
                  ({"instrument_id": 77}, {"unknown_instrument"})),
}  # fmt: skip


def _set(path: str, value: Any) -> Callable[[Any], Any]:
    def spoil(row: Any) -> Any:
        holder, *_ = [row]
        *folders, last = path.split(".")
        for name in folders:
            holder = holder[int(name)] if name.isdigit() else holder[name]
        holder[last] = value
        return row

    return spoil


def json_spoils(fields: Mapping[str, str]) -> list[Spoil]:
    """Every way for every field; one that may not be missing is also null."""
    found: list[Spoil] = []
    for path, role in fields.items():
        found += [(_set(path, value), reasons) for value, reasons in JSON[role.rstrip("?")] if value != "" or
                  not role.endswith("?")]  # fmt: skip
        if not role.endswith("?") and role not in ("commas", "strike", "right"):
            found.append((_set(path, None), _GONE))
    return found


def cell_spoils(fields: Mapping[Any, str]) -> list[Spoil]:
    """The same for cells of a line, which has them by name or by place."""
    return [(_cell(name, value), reasons) for name, role in fields.items() for value, reasons in CELL[role]]


def _cell(name: Any, value: Any) -> Callable[[Any], Any]:
    def spoil(row: Any) -> Any:
        if isinstance(row, dict):
            return {**row, name: value}
        cells = [*row, *[value] * (name == len(row))]
        cells[name] = value
        return cells

    return spoil
