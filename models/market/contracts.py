"""Which contract a symbol of futures means on a day, and until when it can trade where only the symbol is known."""

import calendar
import datetime as dt
import re
from collections.abc import Callable
from zoneinfo import ZoneInfo

import pyarrow as pa

MONTHS = "FGHJKMNQUVXZ"
OUTRIGHT = re.compile(r"([A-Z0-9]{1,3})([FGHJKMNQUVXZ])(\d{1,2})")
# Index futures settle to the opening of the third Friday of their month, or of the session before a holiday.
ON_THIRD_FRIDAY = frozenset(("ES", "NQ", "RTY", "YM", "MES", "MNQ", "M2K", "MYM"))
# These expire within the month they are called by, and are listed for six years at most: metals, grains, livestock,
# currencies, treasuries.
WITHIN_THEIR_MONTH = frozenset((
    "GC", "MGC", "SI", "SIL", "HG", "PL", "PA", "ZC", "ZW", "KE", "ZS", "ZM", "ZL", "LE", "HE", "GF",
    "6A", "6B", "6C", "6E", "6J", "6S", "ZT", "ZF", "ZN", "TN", "ZB", "UB",
))  # fmt: skip
# These are gone before their month begins, and are listed for more than ten years: when a month is over, its symbol may
# mean the next decade's at once.
BEFORE_THEIR_MONTH = frozenset(("CL", "NG"))
_LISTED_BACK = 36  # months for which an expired contract may linger before its symbol is taken for the next of its kind
_GRACE = 4  # and where nothing is known: some trade on after their month, three-month rates longest
_NEW_YORK, _CHICAGO = ZoneInfo("America/New_York"), ZoneInfo("America/Chicago")

SCHEMA = pa.schema([
    ("symbol", pa.string()), ("session", pa.date32()), ("contract_month", pa.string()), ("contract_year", pa.int64()),
    ("ends_at", pa.timestamp("us", tz="UTC")),
])  # fmt: skip


def month_meant(symbol: str, on: dt.date) -> tuple[str, int, int] | None:
    """Root, year and month: the first such month, seen from as far back as such a contract could still be told of."""
    match = OUTRIGHT.fullmatch(symbol)
    if match is None:
        return None
    root, letter, digits = match.groups()
    month, cycle = MONTHS.index(letter) + 1, 10 ** len(digits)
    known = root in ON_THIRD_FRIDAY or root in WITHIN_THEIR_MONTH
    back = -1 if root in BEFORE_THEIR_MONTH else _LISTED_BACK if known else _GRACE
    earliest = on.year * 12 + on.month - 1 - back
    year = -(-(earliest - (month - 1)) // 12)  # the first year whose month is not before the earliest
    return root, year + (int(digits) - year) % cycle, month


def third_friday(year: int, month: int) -> dt.date:
    first = dt.date(year, month, 1)
    return first + dt.timedelta(days=(4 - first.weekday()) % 7 + 14)


def ends_at(root: str, year: int, month: int, is_closed: Callable[[dt.date], bool]) -> dt.datetime | None:
    """The moment after which there can be no trade of it; None where the symbol alone does not say. `is_closed` tells
    the stock exchange's holidays."""
    if root in ON_THIRD_FRIDAY and month % 3 == 0:
        day = third_friday(year, month)
        while is_closed(day):
            day -= dt.timedelta(days=1)
        return dt.datetime.combine(day, dt.time(9, 30), tzinfo=_NEW_YORK).astimezone(dt.UTC)
    if root in ON_THIRD_FRIDAY or root in WITHIN_THEIR_MONTH:
        last = dt.date(year, month, calendar.monthrange(year, month)[1])
        return dt.datetime.combine(last, dt.time(17), tzinfo=_CHICAGO).astimezone(dt.UTC)
    return None


def contract_ends(told: pa.Table, is_closed: Callable[[dt.date], bool]) -> pa.Table:
    """Of every symbol and session, the contract that is meant and its latest end."""
    rows = []
    for symbol, session in sorted({(row["symbol"], row["session"]) for row in told.to_pylist()}):
        meant = month_meant(symbol, session)
        if meant is not None:
            _, year, month = meant
            rows.append({
                "symbol": symbol, "session": session, "contract_month": f"{year}-{month:02d}", "contract_year": year,
                "ends_at": ends_at(*meant, is_closed),
            })  # fmt: skip
    return pa.Table.from_pylist(rows, schema=SCHEMA)
