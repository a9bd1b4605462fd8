"""Kernels of the tape over windows of minutes; a minute in which nothing traded has no bar.

What adds up takes such a minute for nothing traded, a price is held over it, and nothing is said of it itself. Each
window begins GRACE minutes early: only where the tape was seen in these is a minute without a bar a quiet one, and not
one of which nothing is known.
"""

import numpy as np

from models.features.feature import FloatArray, Kernel
from models.features.window import flag, positive, total

GRACE = 15
SESSION_MINUTES = 1380.0  # 17:00 to 16:00 in Chicago
NEW_YORK_OPENS, NEW_YORK_CLOSES = 930.0, 1320.0  # minutes after the session began: both cities change clocks together
HORIZONS = (1, 5, 15, 60)
WEIGHTS = (0.1, 0.2, 0.3, 0.4)
CALM, WILD = 0.5, 2.0  # bounds of short against long volatility


def _now(value: FloatArray, window: FloatArray) -> FloatArray:
    return np.where(np.isfinite(window[..., -1]), value, np.nan)


def _recent(window: FloatArray) -> FloatArray:
    """What was traded in each minute after the grace; NaN where the tape was not seen at its end or before."""
    known = np.isfinite(window)
    after = window[..., GRACE:]
    if known.all():  # as by day, when every minute trades
        return np.ascontiguousarray(after)
    seen = known[..., : GRACE + 1].any(axis=-1, keepdims=True)
    return np.where(seen, np.where(known[..., GRACE:], after, 0.0), np.nan)


def _path(prices: FloatArray) -> FloatArray:
    """Each minute's last price, from the end of the grace on; NaN where none was seen by then."""
    known = np.isfinite(prices)
    if known.all():
        return np.ascontiguousarray(prices[..., GRACE:])
    place = np.where(known, np.arange(prices.shape[-1]), 0)
    held = np.take_along_axis(prices, np.maximum.accumulate(place, axis=-1), axis=-1)[..., GRACE:]
    return np.where(np.isfinite(held[..., :1]), held, np.nan)


def _moves(prices: FloatArray) -> FloatArray:
    return np.ascontiguousarray(prices[..., 1:] / prices[..., :-1] - 1.0)


def latest(**windows: FloatArray) -> FloatArray:
    (window,) = windows.values()
    return window[..., -1]


def move(close: FloatArray) -> FloatArray:
    return _now(close[..., -1] / _path(close)[..., 0] - 1.0, close)


def volatility(close: FloatArray) -> FloatArray:
    """Root mean square of the minutes' returns."""
    steps = _moves(_path(close))
    return _now(np.sqrt(total(steps * steps) / steps.shape[-1]), close)


def _vwap(turnover: FloatArray, volume: FloatArray) -> FloatArray:
    return total(_recent(turnover)) / positive(total(_recent(volume)))


def vwap_gap(close: FloatArray, turnover: FloatArray, volume: FloatArray) -> FloatArray:
    return close[..., -1] / _vwap(turnover, volume) - 1.0


def vwap_position(close: FloatArray, turnover: FloatArray, volume: FloatArray) -> FloatArray:
    """Deviations from the VWAP; of the minutes' mean prices, weighted by volume."""
    middle = _vwap(turnover, volume)
    worth, lots = _recent(turnover), _recent(volume)
    apart = np.where(lots > 0.0, worth / lots - middle[..., None], 0.0)
    spread = np.sqrt(total(lots * apart * apart) / positive(total(lots)))
    return (close[..., -1] - middle) / positive(spread)


def vwap_band(close: FloatArray, turnover: FloatArray, volume: FloatArray) -> FloatArray:
    away = vwap_position(close, turnover, volume)
    return np.where(np.isfinite(away), _within(np.trunc(away), -2.0, 2.0) + 0.0, np.nan)


def vwap_slope(close: FloatArray, turnover: FloatArray, volume: FloatArray) -> FloatArray:
    """VWAP of the window's later half / of its earlier half - 1."""
    worth, lots = _recent(turnover), _recent(volume)
    half = lots.shape[-1] // 2

    def part(which: slice) -> FloatArray:
        return total(np.ascontiguousarray(worth[..., which])) / positive(total(np.ascontiguousarray(lots[..., which])))

    return _now(part(slice(half, None)) / part(slice(0, half)) - 1.0, close)


def session_vwap_gap(close: FloatArray, cumulative_turnover: FloatArray, cumulative_volume: FloatArray) -> FloatArray:
    return close[..., -1] * cumulative_volume[..., -1] / positive(cumulative_turnover[..., -1]) - 1.0


def share_now(part: str, whole: str) -> Kernel:
    """part / whole of this minute."""

    def kernel(**windows: FloatArray) -> FloatArray:
        return windows[part][..., -1] / positive(windows[whole][..., -1])

    kernel.__qualname__ = f"share_now({part}, {whole})"
    return kernel


def share(part: str, whole: str) -> Kernel:
    """Sum of the part / sum of the whole."""

    def kernel(**windows: FloatArray) -> FloatArray:
        return _now(total(_recent(windows[part])) / positive(total(_recent(windows[whole]))), windows[whole])

    kernel.__qualname__ = f"share({part}, {whole})"
    return kernel


def net_share(plus: str, minus: str, whole: str = "volume") -> Kernel:
    """(sum of plus - sum of minus) / sum of the whole."""

    def kernel(**windows: FloatArray) -> FloatArray:
        net = total(_recent(windows[plus])) - total(_recent(windows[minus]))
        return _now(net / positive(total(_recent(windows[whole]))), windows[whole])

    kernel.__qualname__ = f"net_share({plus}, {minus}, {whole})"
    return kernel


def balance(plus: str, minus: str) -> Kernel:
    """(sum of plus - sum of minus) / (sum of both)."""

    def kernel(**windows: FloatArray) -> FloatArray:
        gained, lost = total(_recent(windows[plus])), total(_recent(windows[minus]))
        return _now((gained - lost) / positive(gained + lost), windows[plus])

    kernel.__qualname__ = f"balance({plus}, {minus})"
    return kernel


def pick_up(part: str, whole: str, latest_minutes: int) -> Kernel:
    """Share over the last minutes less that over those before."""

    def kernel(**windows: FloatArray) -> FloatArray:
        told = []
        for which in (slice(-latest_minutes, None), slice(0, -latest_minutes)):
            some, all_of = (np.ascontiguousarray(_recent(windows[name])[..., which]) for name in (part, whole))
            told.append(total(some) / positive(total(all_of)))
        return _now(told[0] - told[1], windows[whole])

    kernel.__qualname__ = f"pick_up({part}, {whole}, {latest_minutes})"
    return kernel


def volume_surge(volume: FloatArray) -> FloatArray:
    lots = _recent(volume)
    surge: FloatArray = volume[..., -1] * lots.shape[-1] / positive(total(lots))
    return surge


def _place(path: FloatArray) -> FloatArray:
    """Where a path ends between its lowest and highest: -1 to 1."""
    low, high = path.min(axis=-1), path.max(axis=-1)
    place: FloatArray = (2.0 * path[..., -1] - low - high) / positive(high - low)
    return place


def delta_divergence(close: FloatArray, delta: FloatArray) -> FloatArray:
    """Half the place of the price in its range less that of the running delta in its own."""
    return _now(0.5 * (_place(_path(close)) - _place(np.cumsum(_recent(delta), axis=-1))), close)


def hidden_strength(close: FloatArray, delta: FloatArray) -> FloatArray:
    """1 where price fell and buyers pressed, -1 where it rose and sellers did, else 0."""
    went, pressed = move(close), total(_recent(delta))
    return flag((went < 0.0) & (pressed > 0.0), went) - flag((went > 0.0) & (pressed < 0.0), went)


def volume_confirms(close: FloatArray, up_ticks: FloatArray, down_ticks: FloatArray) -> FloatArray:
    return np.sign(move(close)) * balance("up", "down")(up=up_ticks, down=down_ticks)


def stealth(close: FloatArray, hidden_bid_volume: FloatArray, hidden_ask_volume: FloatArray,
            volume: FloatArray) -> FloatArray:  # fmt: skip
    """Hidden buyers' less hidden sellers' share where it stands against the move, else 0."""
    net = net_share("bid", "ask")(bid=hidden_bid_volume, ask=hidden_ask_volume, volume=volume)
    went = move(close)
    return np.where(np.isfinite(net + went), np.where(net * went < 0.0, net, 0.0), np.nan)


def tick_persistence(up_ticks: FloatArray, down_ticks: FloatArray, reversals: FloatArray) -> FloatArray:
    ticks = total(_recent(up_ticks)) + total(_recent(down_ticks))
    return _now(1.0 - 2.0 * total(_recent(reversals)) / positive(ticks), up_ticks)


def tick_reversal(close: FloatArray, up_ticks: FloatArray, down_ticks: FloatArray) -> FloatArray:
    """1 where the last five minutes turn a fall by more than its volatility, ticks agreeing; -1 a rise; else 0."""
    path = _path(close)
    before, after = path[..., -6] / path[..., 0] - 1.0, path[..., -1] / path[..., -6] - 1.0
    steps = _moves(path)
    noise = np.sqrt(total(steps * steps) / steps.shape[-1])
    ticks = total(np.ascontiguousarray(_recent(up_ticks - down_ticks)[..., -5:]))
    turned = (before * after < 0.0) & (np.abs(before) > noise) & (np.abs(after) > noise) & (ticks * after > 0.0)
    return _now(np.where(np.isfinite(before + after), np.where(turned, np.sign(after), 0.0), np.nan), close)


def volatility_regime(close: FloatArray) -> FloatArray:
    """0 low, 1 normal, 2 high, 3 extreme: last quarter of the window's volatility / the window's, at 0.75, 1.25, 2."""
    steps = _moves(_path(close))
    squares = steps * steps
    recent = np.ascontiguousarray(squares[..., -(steps.shape[-1] // 4) :])
    ratio = _now(np.sqrt(total(recent) / recent.shape[-1] / positive(total(squares) / steps.shape[-1])), close)
    return flag(ratio >= 0.75, ratio) + flag(ratio >= 1.25, ratio) + flag(ratio >= 2.0, ratio)


def _votes(close: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The horizons' weighted vote, each a move in units of the hour's volatility, and the share that agrees with it."""
    path = _path(close)
    steps = _moves(path)
    squares = steps * steps
    minute = np.sqrt(total(squares) / steps.shape[-1])
    noise = [positive(minute * np.sqrt(float(span))) for span in HORIZONS]
    moved = [(path[..., -1] / path[..., -1 - span] - 1.0) / one for span, one in zip(HORIZONS, noise, strict=True)]
    short = np.sqrt(total(np.ascontiguousarray(squares[..., -15:])) / 15.0)
    pace = _within(short / positive(minute), CALM, WILD)  # in wild minutes the long horizons speak louder
    root = np.sqrt(pace)
    weights = [weight * by for weight, by in zip(WEIGHTS, (1.0 / pace, 1.0 / root, root, pace), strict=True)]
    whole = weights[0] + weights[1] + weights[2] + weights[3]
    votes = [_within(one, -1.0, 1.0) for one in moved]
    told = sum((vote * weight for vote, weight in zip(votes, weights, strict=True)), np.zeros(whole.shape)) / whole
    way = np.sign(told)
    agreeing = sum(((np.sign(vote) == way) * 1.0 for vote in votes), np.zeros(whole.shape)) / len(votes)
    return told, agreeing + 0.0 * way


def _within(values: FloatArray, low: float, high: float) -> FloatArray:
    return np.minimum(np.maximum(values, low), high)


def agreement(close: FloatArray) -> FloatArray:
    """Share of the horizons that went the way of the weighted sum."""
    return _now(_votes(close)[1], close)


def confluence(close: FloatArray) -> FloatArray:
    """The weighted sum, less as horizons disagree."""
    told, agreeing = _votes(close)
    return _now(_within(told * agreeing, -1.0, 1.0), close)  # weights that make one may pass it by a rounding


def bar_place(close: FloatArray, high: FloatArray, low: FloatArray) -> FloatArray:
    span = high[..., -1] - low[..., -1]
    place = (2.0 * close[..., -1] - high[..., -1] - low[..., -1]) / positive(span)
    return np.where(span == 0.0, 0.0, place)


def progress(session_minute: FloatArray) -> FloatArray:
    return session_minute[..., -1] / SESSION_MINUTES


def newyork_open(session_minute: FloatArray) -> FloatArray:
    at = session_minute[..., -1]
    return flag((at >= NEW_YORK_OPENS) & (at < NEW_YORK_CLOSES), at)
