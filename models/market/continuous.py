"""One price series through all rolls of a future: raw, with forward factors that carry the old contract's prices on.

At a roll the last minute in which both contracts traded tells by how much they differ. Factors count from there on and
never change in retrospect; where no such minute is known, what follows has none.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from models.market.replay import replay

FEED_DELAY_US = 15 * 60_000_000
_MINUTE_US = 60_000_000
_INSTANT = pa.timestamp("us", tz="UTC")
_PRICES = ("open", "high", "low", "close")

_FACTS = pa.schema([
    ("root", pa.string()), ("rule", pa.string()), ("session", pa.date32()), ("instrument_id", pa.string()),
    ("symbol", pa.string()), ("bar_start", _INSTANT), *((name, pa.float64()) for name in _PRICES),
    ("volume", pa.int64()), ("available_at", _INSTANT), ("ready_at", _INSTANT), ("ingested_at", _INSTANT),
])  # fmt: skip
SCHEMA = pa.schema([
    ("instrument_id", pa.string()), ("root", pa.string()), ("rule", pa.string()), ("bar_start", _INSTANT),
    ("session", pa.date32()), ("symbol", pa.string()), *((name, pa.float64()) for name in _PRICES),
    ("volume", pa.int64()), ("ratio_factor", pa.float64()), ("difference_offset", pa.float64()),
    ("ratio_close", pa.float64()), ("difference_close", pa.float64()),
    ("withdrawn", pa.bool_()), ("event_time", _INSTANT), ("ingested_at", _INSTANT), ("ready_at", _INSTANT),
])  # fmt: skip
Instants = npt.NDArray[np.int64]


def _micros(table: pa.Table, name: str) -> Instants:
    values: Instants = table.column(name).cast(pa.int64()).to_numpy()
    return values


def _instants(values: Instants) -> pa.Array:
    return pa.array(values, pa.int64()).cast(_INSTANT)


class _Contract:
    """The minutes of one contract, in order."""

    def __init__(self, bars: pa.Table) -> None:
        self.bars = bars.sort_by("bar_start")
        self.start = _micros(self.bars, "bar_start")
        self.session = self.bars.column("session").cast(pa.int32()).to_numpy()
        self.close = self.bars.column("close").to_numpy()
        self.ready = _micros(self.bars, "ready_at")


def _gap(old: _Contract | None, new: _Contract | None, before: int) -> tuple[float, float, int]:
    """Ratio and difference of the last minute that both traded before the roll's session, and when it was told."""
    if old is None or new is None:
        return float("nan"), float("nan"), 0
    shared = np.intersect1d(old.start[old.session < before], new.start[new.session < before])
    if not len(shared):
        return float("nan"), float("nan"), 0
    at, other = int(np.searchsorted(old.start, shared[-1])), int(np.searchsorted(new.start, shared[-1]))
    was, becomes = float(old.close[at]), float(new.close[other])
    told = max(int(old.ready[at]), int(new.ready[other]))
    # A price of nought or less has no ratio: oil was sold at less than nothing.
    return (was / becomes if was > 0 and becomes > 0 else float("nan")), was - becomes, told


def _series(rolls: pa.Table, contracts: dict[str, _Contract], rule: str) -> list[pa.Table]:
    """One root by one rule, session by session of its calendar."""
    calendar = rolls.sort_by("session")
    ids, days = calendar.column("instrument_id").to_pylist(), calendar.column("session").cast(pa.int32()).to_pylist()
    known = _micros(calendar, "ready_at")
    found, ratio, difference, told = [], 1.0, 0.0, 0
    for place, (front, day) in enumerate(zip(ids, days, strict=True)):
        if place and front != ids[place - 1]:
            step, offset, at = _gap(contracts.get(ids[place - 1]), contracts.get(front), day)
            ratio, difference, told = ratio * step, difference + offset, max(told, at)
        contract = contracts.get(front)
        if contract is None:
            continue
        first, end = np.searchsorted(contract.session, [day, day + 1])
        count = int(end - first)
        if not count:
            continue
        bars = contract.bars.slice(int(first), count)
        ready = np.maximum(contract.ready[first:end], max(int(known[place]), told))
        close = contract.close[first:end]
        factor, move = np.full(count, ratio), np.full(count, difference)
        more: dict[str, Any] = {
            "rule": pa.repeat(rule, count), "withdrawn": pa.repeat(False, count),
            "ratio_factor": _known(factor), "difference_offset": _known(move),
            "ratio_close": _known(close * factor), "difference_close": _known(close + move),
            "event_time": _instants(contract.start[first:end] + _MINUTE_US), "ready_at": _instants(ready),
        }  # fmt: skip
        found.append(pa.table([more[name] if name in more else bars.column(name) for name in SCHEMA.names], SCHEMA))
    return found


def _known(values: npt.NDArray[np.float64]) -> pa.Array:
    return pa.array(values, pa.float64(), mask=np.isnan(values))


def _continuous(facts: pa.Table) -> pa.Table:
    """Every root and rule, from the newest word on each bar and each session's front."""
    is_bar = facts.column("bar_start").is_valid()
    bars, rolls = facts.filter(is_bar), facts.filter(pc.invert(is_bar))
    wanted = set(pc.unique(rolls.column("instrument_id")).to_pylist())
    contracts = {
        one: _Contract(bars.filter(pc.equal(bars.column("instrument_id"), one)))
        for one in pc.unique(bars.column("instrument_id")).to_pylist() if one in wanted
    }  # fmt: skip
    tables = [SCHEMA.empty_table()]
    pairs = rolls.group_by(["root", "rule"], use_threads=False).aggregate([])
    for pair in pairs.sort_by([("root", "ascending"), ("rule", "ascending")]).to_pylist():
        mask = pc.and_(pc.equal(rolls.column("root"), pair["root"]), pc.equal(rolls.column("rule"), pair["rule"]))
        tables += _series(rolls.filter(mask), contracts, pair["rule"])
    return pa.concat_tables(tables)


def continuous_versions(bars: pa.Table, rolls: pa.Table) -> pa.Table:
    """Continuous bars as they became known: a bar and its factors as soon as bar, calendar and the prices of the roll
    were told, and again when one of them was corrected."""
    ends = _micros(bars, "bar_start") + _MINUTE_US + FEED_DELAY_US
    bar_facts = _facts(bars.append_column("ready_at", _instants(ends)))
    keys = ["root", "rule", "session"]
    first = rolls.group_by(keys, use_threads=False).aggregate([("available_at", "min")])
    roll_facts = _facts(rolls.join(first.rename_columns([*keys, "ready_at"]), keys, use_threads=False))
    # A corrected calendar names another contract of the same session, so that contracts tell only bars apart.
    facts = pa.concat_tables([bar_facts, roll_facts])
    contract = pc.if_else(facts.column("bar_start").is_valid(), facts.column("instrument_id"), "")
    return replay(
        facts.append_column("contract", contract), key=("root", "rule", "session", "bar_start", "contract"),
        unit=("root",), grain=("root", "rule", "bar_start"), compute=_continuous,
    )  # fmt: skip


def _facts(table: pa.Table) -> pa.Table:
    columns = [table.column(field.name).cast(field.type) if field.name in table.column_names
               else pa.nulls(table.num_rows, field.type) for field in _FACTS]  # fmt: skip
    return pa.table(columns, schema=_FACTS)
