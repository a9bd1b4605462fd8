"""From the marts: the prices that fills and labels are made of, as known at a moment."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.backtest.prices import Prices
from models.features.panel import FeaturePanel
from models.labels import open_to_open
from pipelines.home import Home
from pipelines.training.inputs import Revisions

Floats = NDArray[np.float64]
COLUMNS = ("open", "close", "volume", "split_factor", "total_return_factor")


def read_prices(home: Home, now: dt.datetime, panel: FeaturePanel) -> Prices:
    """Daily prices of the panel's names, from the first bar in the marts to the panel's last session."""
    from pipelines.lake import marts

    with marts.connect(home, as_of=now) as connection:
        bars = connection.execute(
            f"SELECT session, instrument_id, {', '.join(COLUMNS)} FROM daily_bars "
            "WHERE instrument_id IN (SELECT unnest($1)) ORDER BY session, instrument_id", [list(panel.names)]
        ).fetchnumpy()
    return prices_of(bars, panel)


def prices_of(bars: dict[str, Any], panel: FeaturePanel) -> Prices:
    """Arrays by (session, name) from columns of bars; sessions of the panel without a bar yet are rows of NaN."""
    days = np.asarray(bars["session"], dtype="datetime64[D]")
    decided = np.asarray(panel.sessions, dtype="datetime64[D]")
    sessions = np.union1d(days, decided)
    rows = np.searchsorted(sessions, days)
    place = {name: column for column, name in enumerate(panel.names)}
    columns = np.array([place[name] for name in bars["instrument_id"]], dtype=np.intp)
    grids = {}
    for name in COLUMNS:
        grid = np.full((len(sessions), len(panel.names)), np.nan)
        grid[rows, columns] = np.asarray(bars[name], dtype=np.float64)
        grids[name] = grid
    tradable = np.zeros((len(sessions), len(panel.names)), dtype=bool)
    tradable[np.searchsorted(sessions, decided)] = panel.tradable
    return Prices.from_bars(
        sessions, panel.names, open_raw=grids["open"], close_raw=grids["close"], volume=grids["volume"],
        split_factor=grids["split_factor"], total_return_factor=grids["total_return_factor"], tradable=tradable,
    )


def label_returns(prices: Prices, panel: FeaturePanel) -> Floats:
    """(decision sessions, names) total return from each session's open to the next; NaN where not over yet."""
    factor = prices.total_return_factor
    earned = open_to_open(prices.open_raw * factor, prices.close_raw * factor)
    at = np.searchsorted(prices.sessions, np.asarray(panel.sessions, dtype="datetime64[D]"))
    return earned[at]


def symbols_of(home: Home, now: dt.datetime, instruments: tuple[str, ...]) -> dict[str, str]:
    """What each instrument was called last, as known at a moment."""
    from pipelines.lake import marts

    with marts.connect(home, as_of=now) as connection:
        rows = connection.execute("SELECT instrument_id, arg_max(symbol, valid_from) FROM symbols "
                                  "WHERE instrument_id IN (SELECT unnest($1)) GROUP BY ALL",
                                  [list(instruments)]).fetchall()
    return {str(instrument): str(symbol) for instrument, symbol in rows}


def revisions(home: Home, now: dt.datetime, panel: FeaturePanel, returns: Floats, begins: Iterable[int]) -> Revisions:
    """What was known otherwise when a fold began, `begins` being the folds' first rows. Most nights nothing was."""
    from pipelines.lake import marts
    from pipelines.store.frame import decision_time

    places, values = [np.zeros((0, 3), dtype=np.intp)], [np.zeros(0)]
    with marts.connect(home, as_of=now) as connection:
        newest = connection.execute("SELECT session, max(available_at) AS told FROM daily_bars_versions "
                                    "WHERE available_at <= ? GROUP BY 1", [now]).fetchnumpy()
    days, told = np.asarray(newest["session"], "datetime64[D]"), np.asarray(newest["told"], "datetime64[us]")
    for begin in begins:
        session = panel.sessions[begin].astype("datetime64[D]")
        decided = decision_time(session.item())
        if not (told[days < session] > np.datetime64(decided.replace(tzinfo=None), "us")).any():
            continue
        before = panel.upto(begin + 1)
        then = label_returns(read_prices(home, decided, before), before)
        over = max(0, begin - 1)  # labels that were; of the session before, this session's open closes it
        same = (then[:over] == returns[:over]) | (np.isnan(then[:over]) & np.isnan(returns[:over]))
        moved = np.argwhere(~same)
        places.append(np.insert(moved, 0, begin, axis=1))
        values.append(then[moved[:, 0], moved[:, 1]])
    return Revisions(np.concatenate(places).astype(np.intp), np.concatenate(values))
