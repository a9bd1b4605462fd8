"""The judged market as somebody sees it who adjusts all of history with today's factors and corrections.

Prices, the universe's price and volume bars, sizes, costs and every feature of daily bars are restated by what is known
when the sample ends. Features of other vendors stay: their history is not adjusted by anyone.
"""

import datetime as dt
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.backtest.prices import Prices, carried
from models.features.compute import compute_batch
from models.features.inputs import derive
from models.features.panel import BarPanel
from models.features.registry import FEATURES, named
from models.market.liquidity import LOOK_BACK, trailing
from pipelines.home import Home
from pipelines.training.inputs import Inputs

Floats = NDArray[np.float64]
MIN_PRICE, MIN_DOLLARS, LISTED_SESSIONS = 5.0, 5e6, 60  # the universe's bars, as dbt_project.yml has them
COLUMNS = ("open", "high", "low", "close", "volume", "split_factor", "total_return_factor")


def read_bars(home: Home, now: dt.datetime, names: tuple[str, ...]) -> tuple[NDArray[np.datetime64], dict[str, Floats]]:
    """(sessions, raw columns by session and name), each bar in its newest version."""
    from pipelines.lake import marts

    with marts.connect(home, as_of=now) as connection:
        bars = connection.execute(
            f"SELECT session, instrument_id, {', '.join(COLUMNS)} FROM daily_bars "
            "WHERE instrument_id IN (SELECT unnest($1)) ORDER BY session, instrument_id", [list(names)]
        ).fetchnumpy()
    days = np.asarray(bars["session"], "datetime64[D]")
    sessions = np.unique(days)
    row, place = np.searchsorted(sessions, days), {name: column for column, name in enumerate(names)}
    column = np.array([place[name] for name in bars["instrument_id"]], dtype=np.intp)
    raw = {}
    for name in COLUMNS:
        raw[name] = np.full((len(sessions), len(names)), np.nan)
        raw[name][row, column] = np.asarray(bars[name], np.float64)
    return sessions, raw


def adjusted(raw: dict[str, Floats]) -> dict[str, Floats]:
    """Backward-adjusted as of the end: prices by all actions, volumes by splits; factors are one thereafter."""
    total, split = carried(raw["total_return_factor"]), carried(raw["split_factor"])
    told = {name: raw[name] * (raw["total_return_factor"] / total[-1]) for name in ("open", "high", "low", "close")}
    told["volume"] = raw["volume"] * (split[-1] / raw["split_factor"])
    once = np.where(np.isfinite(raw["close"]), 1.0, np.nan)
    return {**told, "split_factor": once, "total_return_factor": once}


def passes_bars(close: Floats, volume: Floats) -> NDArray[np.bool_]:
    """Whether price and median volume let a name into the universe of each session, from the sessions before it."""
    dollars = trailing(np.nan_to_num(close * volume), LOOK_BACK)
    last = np.vstack([np.full((1, close.shape[1]), np.nan), carried(close)[:-1]])
    return np.asarray((last >= MIN_PRICE) & (np.median(np.nan_to_num(dollars), axis=-1) >= MIN_DOLLARS))


def restated(inputs: Inputs, sessions: NDArray[np.datetime64], raw: dict[str, Floats]) -> tuple[Inputs, Prices]:
    """Inputs and prices with all of hindsight in them; labels are total returns and stay what they were."""
    panel, seen = inputs.panel, adjusted(raw)
    decided = np.asarray(panel.sessions, "datetime64[D]")
    before = np.searchsorted(sessions, decided) - 1  # the bar that a decision looks back on
    known = before >= 0
    of_bars = {one.name for one in FEATURES if one.family == "equity"}
    own = tuple(name for name in panel.features if name in of_bars)
    made = compute_batch(BarPanel(sessions, panel.names, derive("equity", seen)), named(own))
    values = panel.values.copy()
    for name in own:
        place, fresh = panel.features.index(name), made[name][before[known]]
        values[known, :, place] = np.where(np.isfinite(fresh), fresh, values[known, :, place])
    then, today = (_at_decisions(passes_bars(bars["close"], bars["volume"]), before) for bars in (raw, seen))
    listed = np.vstack([np.zeros((1, len(panel.names)), int), np.isfinite(raw["close"]).cumsum(axis=0)])[before + 1]
    alive = np.isfinite(raw["close"])[np.minimum(before + 1, len(sessions) - 1)]
    tradable = np.where(then, panel.tradable & today, today & (listed >= LISTED_SESSIONS) & alive)
    told = replace(inputs, panel=replace(panel, values=values, tradable=tradable))
    return told, _prices(told, sessions, seen)


def _at_decisions(flags: NDArray[np.bool_], before: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Flags of the session that is decided; beyond the last bar, those of the last one."""
    return np.asarray(flags[np.clip(before + 1, 0, len(flags) - 1)])


def _prices(told: Inputs, sessions: NDArray[np.datetime64], seen: dict[str, Floats]) -> Prices:
    """On every session that has a bar or is decided, as the honest judge has it."""
    decided = np.asarray(told.panel.sessions, "datetime64[D]")
    days = np.union1d(sessions, decided)
    grids = {}
    for name, column in seen.items():
        grids[name] = np.full((len(days), column.shape[1]), np.nan)
        grids[name][np.searchsorted(days, sessions)] = column
    tradable = np.zeros((len(days), len(told.panel.names)), dtype=bool)
    tradable[np.searchsorted(days, decided)] = told.panel.tradable
    return Prices.from_bars(
        days, told.panel.names, open_raw=grids["open"], close_raw=grids["close"], volume=grids["volume"],
        split_factor=grids["split_factor"], total_return_factor=grids["total_return_factor"], tradable=tradable)
