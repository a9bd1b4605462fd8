"""The continuous future: forward factors from the last minute both contracts traded, on two clocks."""

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest

from models.market.continuous import continuous_versions

UTC = dt.UTC
BAR = {"open": pa.float64(), "high": pa.float64(), "low": pa.float64(), "close": pa.float64()}
INSTANT = pa.timestamp("us", tz="UTC")
DELAY = dt.timedelta(minutes=16)


def bar(symbol: str, day: int, minute: int, close: float, *, known: dt.datetime | None = None) -> dict[str, Any]:
    start = dt.datetime(2025, 6, day, 14, minute, tzinfo=UTC)
    return {"instrument_id": f"CME:{symbol}:2025", "symbol": symbol, "root": "ES", "session": dt.date(2025, 6, day),
            "bar_start": start, **dict.fromkeys(BAR, close), "volume": 10, "available_at": known or start + DELAY,
            "ingested_at": start}  # fmt: skip


def front(symbol: str, day: int, *, known: dt.datetime | None = None, rule: str = "volume") -> dict[str, Any]:
    told = known or dt.datetime(2025, 6, day, 6, tzinfo=UTC)
    return {"instrument_id": f"CME:{symbol}:2025", "root": "ES", "rule": rule, "session": dt.date(2025, 6, day),
            "symbol": symbol, "available_at": told, "ingested_at": told}  # fmt: skip


def series(bars: list[dict[str, Any]], rolls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = {"instrument_id": pa.string(), "symbol": pa.string(), "root": pa.string(), "session": pa.date32()}
    clocks = {"available_at": INSTANT, "ingested_at": INSTANT}
    bar_schema = pa.schema([*names.items(), ("bar_start", INSTANT), *BAR.items(), ("volume", pa.int64()),
                            *clocks.items()])  # fmt: skip
    roll_schema = pa.schema([*names.items(), ("rule", pa.string()), *clocks.items()])
    found: list[dict[str, Any]] = continuous_versions(
        pa.Table.from_pylist(bars, bar_schema), pa.Table.from_pylist(rolls, roll_schema)).to_pylist()  # fmt: skip
    return found


BARS = [bar("ESM5", 16, 0, 100.0), bar("ESU5", 16, 0, 104.0), bar("ESM5", 16, 1, 101.0), bar("ESM5", 17, 0, 110.0),
        bar("ESU5", 17, 0, 114.4), bar("ESU5", 18, 0, 104.0)]  # fmt: skip
ROLLS = [front("ESM5", 16), front("ESU5", 17), front("ESU5", 18)]


def test_prices_go_on_as_if_the_old_contract_were_still_held() -> None:
    found = series(BARS, ROLLS)
    assert [(row["symbol"], row["close"]) for row in found] == [
        ("ESM5", 100.0), ("ESM5", 101.0), ("ESU5", 114.4), ("ESU5", 104.0)]  # fmt: skip
    ratio, difference = 100.0 / 104.0, 100.0 - 104.0
    assert [row["ratio_factor"] for row in found] == [1.0, 1.0, ratio, ratio]
    assert [row["difference_offset"] for row in found] == [0.0, 0.0, difference, difference]
    assert found[2]["ratio_close"] == pytest.approx(110.0) and found[2]["difference_close"] == pytest.approx(110.4)
    assert all(not row["withdrawn"] for row in found)


def test_a_later_roll_never_changes_what_was_adjusted_before() -> None:
    more = [*BARS, bar("ESZ5", 18, 0, 208.0), bar("ESZ5", 19, 0, 210.0)]
    assert series(more, [*ROLLS, front("ESZ5", 19)])[:4] == series(BARS, ROLLS)
    assert series(more, [*ROLLS, front("ESZ5", 19)])[4]["ratio_factor"] == pytest.approx(100 / 104 * 104 / 208)


def test_a_roll_that_no_shared_minute_measured_leaves_what_follows_without_factors() -> None:
    apart = [one for one in BARS if not (one["symbol"] == "ESU5" and one["session"].day == 16)]
    found = series(apart, ROLLS)
    assert [row["ratio_factor"] for row in found] == [1.0, 1.0, None, None]
    assert found[2]["close"] == 114.4 and found[2]["difference_close"] is None


@pytest.mark.parametrize(("was", "becomes"), [(-37.63, 20.43), (20.0, -1.0), (0.0, 20.0)])
def test_a_price_below_nought_has_a_difference_and_no_ratio(was: float, becomes: float) -> None:
    bars = [bar("ESM5", 16, 0, was), bar("ESU5", 16, 0, becomes), bar("ESU5", 17, 0, 21.0)]
    *_, last = series(bars, [front("ESM5", 16), front("ESU5", 17)])
    assert last["ratio_factor"] is None and last["ratio_close"] is None
    assert last["difference_offset"] == was - becomes and last["difference_close"] == 21.0 + was - becomes


def test_a_bar_counts_when_its_calendar_does() -> None:
    late = dt.datetime(2025, 6, 20, 6, tzinfo=UTC)
    found = series(BARS, [ROLLS[0], front("ESU5", 17, known=late), front("ESU5", 18, known=late)])
    assert [row["available_at"] for row in found] == [
        *(row["bar_start"] + DELAY for row in found[:2]), late, late]  # fmt: skip


def test_a_corrected_price_of_the_roll_is_a_new_version_of_all_that_follows() -> None:
    late = dt.datetime(2025, 6, 20, 6, tzinfo=UTC)
    found = series([*BARS, bar("ESU5", 16, 0, 105.0, known=late)], ROLLS)
    assert [(row["ratio_factor"], row["available_at"] == late) for row in found if row["session"].day > 16] == [
        (100 / 104, False), (100 / 105, True), (100 / 104, False), (100 / 105, True)]  # fmt: skip


def test_a_corrected_calendar_takes_minutes_away_and_gives_others() -> None:
    late = dt.datetime(2025, 6, 20, 6, tzinfo=UTC)
    bars = [*BARS, bar("ESU5", 17, 5, 115.0), bar("ESM5", 17, 7, 111.0)]
    found = series(bars, [*ROLLS, front("ESM5", 17, known=late)])
    on = [(row["bar_start"].minute, row["symbol"], row["withdrawn"], row["available_at"] == late)
          for row in found if row["session"].day == 17]  # fmt: skip
    assert on == [(0, "ESU5", False, False), (0, "ESM5", False, True), (5, "ESU5", False, False),
                  (5, "ESU5", True, True), (7, "ESM5", False, True)]  # fmt: skip
