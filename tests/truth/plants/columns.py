"""Leaks in a derived column: it is made of the whole panel, later sessions included."""

import numpy as np

from models.features.feature import FloatArray
from tests.truth.plants.plant import Plant, of_column

Columns = dict[str, FloatArray]


def _moves(columns: Columns) -> FloatArray:
    close = columns["close_tr"]
    return np.vstack([np.full((1, close.shape[1]), np.nan), close[1:] / close[:-1] - 1.0])


def _ahead(values: FloatArray, sessions: int) -> FloatArray:
    """The values of so many sessions later."""
    return np.vstack([values[sessions:], np.full((min(sessions, len(values)), values.shape[1]), np.nan)])


def _around(columns: Columns, reach: int) -> FloatArray:
    """Closes of the sessions on either side, (sessions, names, 2 reach + 1)."""
    padded = np.pad(columns["close_tr"], ((reach, reach), (0, 0)), constant_values=np.nan)
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=0)


def _filtered(moves: FloatArray, swings: tuple[float, float]) -> FloatArray:
    """Probability of the wild state of a two-state chain after each session, (sessions, names)."""
    stay, belief, out = 0.95, np.full(moves.shape[1], 0.5), np.empty(moves.shape)
    for row, move in enumerate(moves):
        prior = belief * stay + (1 - belief) * (1 - stay)
        calm, wild = (np.exp(-0.5 * (move / swing) ** 2) / swing for swing in swings)
        updated = prior * wild / (prior * wild + (1 - prior) * calm)
        belief = np.where(np.isfinite(updated), updated, prior)
        out[row] = belief
    return out


SWINGS = (0.01, 0.03)


def smoothed(columns: Columns) -> FloatArray:
    """Forward times backward: the whole sequence has a say in every state."""
    forward, backward = _filtered(_moves(columns), SWINGS), _filtered(_moves(columns)[::-1], SWINGS)[::-1]
    both = forward * backward / (forward * backward + (1 - forward) * (1 - backward))
    return np.where(np.isfinite(columns["close"]), both, np.nan)


def viterbi(columns: Columns) -> FloatArray:
    """The likeliest path, traced back from the end."""
    moves = np.nan_to_num(_moves(columns))
    cost = [0.5 * (moves / swing) ** 2 + np.log(swing) for swing in SWINGS]
    switch = np.log(19.0)
    best, came = np.array([cost[0][0], cost[1][0]]), []
    for row in range(1, len(moves)):
        step = np.stack([np.stack([best[0], best[1] + switch]), np.stack([best[0] + switch, best[1]])])
        came.append(step.argmin(axis=1))
        best = step.min(axis=1) + np.stack([cost[0][row], cost[1][row]])
    states = np.empty(moves.shape)
    states[-1] = best.argmin(axis=0)
    for row in range(len(moves) - 2, -1, -1):
        now = states[row + 1].astype(int)
        states[row] = np.take_along_axis(came[row], now[None], axis=0)[0]
    return states


def fitted_on_all(columns: Columns) -> FloatArray:
    """A filter that only looks back, with parameters that were fitted on the whole sample."""
    moves = _moves(columns)
    swing = float(np.nanstd(moves))
    return _filtered(moves, (0.7 * swing, 2.0 * swing))


def there_and_back(columns: Columns) -> FloatArray:
    """An average smoothed forwards, then backwards."""
    out = np.nan_to_num(columns["close_tr"])
    for _ in range(2):
        for row in range(1, len(out)):
            out[row] = 0.9 * out[row - 1] + 0.1 * out[row]
        out = out[::-1].copy()
    return out


def correlated(columns: Columns) -> FloatArray:
    """Correlation of every pair of names over the whole sample."""
    moves = np.nan_to_num(_moves(columns))
    return np.nan_to_num(np.corrcoef(moves.T))


def neighbours(columns: Columns) -> FloatArray:
    edges = np.where(correlated(columns) > 0.3, 1.0, 0.0)
    return np.nan_to_num(_moves(columns)) @ edges


def weighted_neighbours(columns: Columns) -> FloatArray:
    return np.nan_to_num(_moves(columns)) @ correlated(columns)


def nearest_neighbour(columns: Columns) -> FloatArray:
    nearest = (correlated(columns) - 2.0 * np.eye(columns["close"].shape[1])).argmax(axis=1)
    return _moves(columns)[:, nearest] + 1e-3 * correlated(columns).max(axis=1)


def first_component(columns: Columns) -> FloatArray:
    moves = np.nan_to_num(_moves(columns))
    _, _, axes = np.linalg.svd(moves, full_matrices=False)
    return moves @ axes[0][:, None] * np.ones(moves.shape)


def whole_beta(columns: Columns) -> FloatArray:
    moves = np.nan_to_num(_moves(columns))
    market = moves.mean(axis=1)
    return np.ones(moves.shape) * (moves * market[:, None]).sum(axis=0) / (market**2).sum()


def carried(values: FloatArray, most: int = 10_000) -> FloatArray:
    """Each gap filled with the last value before it, for so many sessions."""
    rows = np.arange(len(values))[:, None] * np.ones(values.shape, dtype=int)
    last = np.maximum.accumulate(np.where(np.isfinite(values), rows, -1), axis=0)
    fine = (last >= 0) & (rows - last <= most)
    return np.where(fine, np.take_along_axis(values, np.maximum(last, 0), axis=0), np.nan)


def interpolated(columns: Columns) -> FloatArray:
    """Every second close dropped and drawn as a line between its neighbours."""
    close = columns["close_tr"]
    line = (_ahead(close, 1) + np.vstack([close[:1], close[:-1]])) / 2
    return np.where(np.arange(len(close))[:, None] % 2 == 1, line, close)


def backfilled(columns: Columns) -> FloatArray:
    """A value published every fifth session, filled in backwards."""
    close = np.where(np.arange(len(columns["close"]))[:, None] % 5 == 0, columns["close_tr"], np.nan)
    return carried(close[::-1])[::-1]


def filled_with_the_mean(columns: Columns) -> FloatArray:
    close = columns["close"]
    return np.where(np.isfinite(close), close, np.nanmean(close, axis=1, keepdims=True))


def doubles_soon(columns: Columns) -> FloatArray:
    """Whether the price will double within five sessions. It never did: a future cut off shows nothing of the look."""
    close = columns["close_tr"]
    best = np.fmax.reduce([_ahead(close, n) for n in range(1, 6)])
    return np.where(np.isfinite(close), np.where(best > 2.0 * close, 1.0, 0.0), np.nan)


COLUMN_PLANTS: tuple[Plant, ...] = (
    of_column("L1", "smoothed", smoothed),
    of_column("L1", "viterbi", viterbi),
    of_column("L1", "fitted-on-all", fitted_on_all),
    of_column("L1", "there-and-back", there_and_back),
    of_column("L1", "smoothed-difference", lambda c: smoothed(c) - _filtered(_moves(c), SWINGS)),
    of_column("L2", "last-factor", lambda c: c["close_tr"] / c["total_return_factor"][-1], "total_return_factor"),
    of_column("L2", "volume-by-last-split", lambda c: c["volume"] * c["split_factor"][-1], "daily_bars.split_factor"),
    of_column("L2", "round-number", lambda c: (c["close_tr"] / carried(c["total_return_factor"])[-1]) % 10.0,
              "total_return_factor"),
    of_column("L10", "closes-carried", lambda c: carried(c["close_tr"]), "no bar", "presence audit"),
    of_column("L10", "carried-five", lambda c: carried(c["close"], 5), "no bar", "presence audit"),
    of_column("L10", "volume-zero-filled", lambda c: np.nan_to_num(c["volume"]), "no bar", "presence audit"),
    of_column("L10", "return-zero-filled", lambda c: np.nan_to_num(_moves(c)), "no bar", "presence audit"),
    of_column("L10", "filled-with-the-mean", filled_with_the_mean, "no bar", "presence audit"),
    of_column("L11", "next-return", lambda c: _ahead(_moves(c), 1)),
    of_column("L11", "open-to-open", lambda c: _ahead(c["open_tr"], 2) / _ahead(c["open_tr"], 1), "daily_bars.open"),
    of_column("L11", "sign-of-five", lambda c: np.sign(_ahead(c["close_tr"], 5) - c["close_tr"])),
    of_column("L11", "rank-of-five", lambda c: np.argsort(np.argsort(
        np.nan_to_num(_ahead(c["close_tr"], 5) / c["close_tr"]), axis=1), axis=1).astype(float)),
    of_column("L11", "best-of-ten", lambda c: np.fmax.reduce([_ahead(c["high_tr"], n) for n in range(1, 11)]),
              "daily_bars.high"),
    of_column("L13", "centred-mean", lambda c: np.nanmean(_around(c, 2), axis=-1)),
    of_column("L13", "centred-deviation", lambda c: np.nanstd(_around(c, 5), axis=-1)),
    of_column("L13", "centred-median", lambda c: np.nanmedian(_around(c, 1), axis=-1)),
    of_column("L13", "filled-backwards", backfilled),
    of_column("L13", "interpolated", interpolated),
    of_column("L14", "neighbours", neighbours),
    of_column("L14", "weighted-neighbours", weighted_neighbours),
    of_column("L14", "nearest-neighbour", nearest_neighbour),
    of_column("L14", "first-component", first_component),
    of_column("L14", "whole-beta", whole_beta),
    of_column("LX", "whole-sample-zscore",
              lambda c: (c["volume"] - np.nanmean(c["volume"])) / np.nanstd(c["volume"]), "daily_bars.volume"),
    of_column("LX", "whole-sample-maximum", lambda c: c["close"] / np.nanmax(c["high"]), "daily_bars.high"),
    of_column("LX", "doubles-soon", doubles_soon),
    of_column("LX", "rank-over-time", lambda c: np.argsort(np.argsort(c["close_tr"], axis=0), axis=0).astype(float)),
)
