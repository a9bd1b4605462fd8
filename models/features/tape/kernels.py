"""What the last minutes of a tape say. Each function is one feature's formula, over a span of minutes."""

import numpy as np

from models.features.feature import FloatArray
from models.features.tape.window import Minutes
from models.features.window import flag, positive, total

SESSION_MINUTES = 1380.0  # 17:00 to 16:00 in Chicago
NEW_YORK_OPENS, NEW_YORK_CLOSES = 930.0, 1320.0  # minutes after the session began: both cities change clocks together
HORIZONS = (1, 5, 15, 60)
WEIGHTS = (0.1, 0.2, 0.3, 0.4)
CALM, WILD = 0.5, 2.0  # bounds of short against long volatility


def _within(values: FloatArray, low: float, high: float) -> FloatArray:
    return np.minimum(np.maximum(values, low), high)


def move(tape: Minutes, span: int) -> FloatArray:
    path = tape.path(span)
    return path[..., -1] / path[..., 0] - 1.0


def volatility(tape: Minutes, span: int) -> FloatArray:
    """Root mean square of the minutes' returns."""
    steps = tape.steps(span)
    return np.sqrt(total(steps * steps) / span)


def volatility_regime(tape: Minutes) -> FloatArray:
    """0 low, 1 normal, 2 high, 3 extreme: volatility of 15 minutes / of 60, at 0.75, 1.25 and 2."""
    ratio = volatility(tape, 15) / positive(volatility(tape, 60))
    return flag(ratio >= 0.75, ratio) + flag(ratio >= 1.25, ratio) + flag(ratio >= 2.0, ratio)


def bar_place(tape: Minutes) -> FloatArray:
    high, low = tape.now("high"), tape.now("low")
    place = (2.0 * tape.now("close") - high - low) / positive(high - low)
    return np.where(high == low, 0.0, place)


def vwap_gap(tape: Minutes, span: int) -> FloatArray:
    return tape.now("close") / tape.share("turnover", "volume", span) - 1.0


def vwap_and_spread(tape: Minutes, span: int) -> tuple[FloatArray, FloatArray]:
    """The VWAP, and the deviation of the minutes' mean prices from it, weighted by volume."""
    middle = tape.share("turnover", "volume", span)
    lots = tape.flow("volume", span)
    apart = np.where(lots > 0.0, tape.flow("turnover", span) / lots - middle[..., None], 0.0)
    return middle, np.sqrt(total(lots * apart * apart) / positive(tape.sum("volume", span)))


def vwap_position(tape: Minutes, span: int) -> FloatArray:
    """Deviations from the VWAP."""
    middle, spread = vwap_and_spread(tape, span)
    return (tape.now("close") - middle) / positive(spread)


def vwap_band(tape: Minutes, span: int) -> FloatArray:
    away = vwap_position(tape, span)
    return np.where(np.isfinite(away), _within(np.trunc(away), -2.0, 2.0) + 0.0, np.nan)


def vwap_slope(tape: Minutes, span: int) -> FloatArray:
    """VWAP of the span / that of as many minutes before - 1."""
    return tape.share("turnover", "volume", span) / tape.share("turnover", "volume", span, span) - 1.0


def session_vwap_gap(tape: Minutes) -> FloatArray:
    return tape.now("close") * tape.now("cumulative_volume") / positive(tape.now("cumulative_turnover")) - 1.0


def share_now(tape: Minutes, part: str, whole: str) -> FloatArray:
    return tape.now(part) / positive(tape.now(whole))


def pick_up(tape: Minutes) -> FloatArray:
    """delta's share of the last five minutes less that of the fifteen before."""
    return tape.share("delta", "volume", 5) - tape.share("delta", "volume", 15, 5)


def volume_surge(tape: Minutes, span: int) -> FloatArray:
    return tape.now("volume") * float(span) / positive(tape.sum("volume", span))


def _place(path: FloatArray) -> FloatArray:
    """Where a path ends between its lowest and highest: -1 to 1."""
    low, high = path.min(axis=-1), path.max(axis=-1)
    place: FloatArray = (2.0 * path[..., -1] - low - high) / positive(high - low)
    return place


def delta_divergence(tape: Minutes, span: int) -> FloatArray:
    """Half the place of the price in its range less that of the running delta in its own."""
    return 0.5 * (_place(tape.path(span)) - _place(np.cumsum(tape.flow("delta", span + 1), axis=-1)))


def hidden_strength(tape: Minutes, span: int) -> FloatArray:
    """1 where price fell and buyers pressed, -1 where it rose and sellers did, else 0."""
    went, pressed = move(tape, span), tape.sum("delta", span)
    told = went + pressed
    return flag((went < 0.0) & (pressed > 0.0), told) - flag((went > 0.0) & (pressed < 0.0), told)


def volume_confirms(tape: Minutes, span: int) -> FloatArray:
    return np.sign(move(tape, span)) * tape.balance("up_ticks", "down_ticks", span)


def stealth(tape: Minutes, span: int) -> FloatArray:
    """Hidden buyers' less hidden sellers' share where it stands against the move, else 0."""
    net, went = tape.net_share("hidden_bid_volume", "hidden_ask_volume", span), move(tape, span)
    return np.where(np.isfinite(net + went), np.where(net * went < 0.0, net, 0.0), np.nan)


def tick_persistence(tape: Minutes, span: int) -> FloatArray:
    ticks = tape.sum("up_ticks", span) + tape.sum("down_ticks", span)
    return 1.0 - 2.0 * tape.sum("reversals", span) / positive(ticks)


def tick_reversal(tape: Minutes) -> FloatArray:
    """1 where the last five minutes turn a fall of the ten before, both beyond a minute's volatility; -1 a rise."""
    path = tape.path(15)
    before, after = path[..., 10] / path[..., 0] - 1.0, path[..., 15] / path[..., 10] - 1.0
    noise, ticks = volatility(tape, 15), tape.sum("up_ticks", 5) - tape.sum("down_ticks", 5)
    turned = (before * after < 0.0) & (np.abs(before) > noise) & (np.abs(after) > noise) & (ticks * after > 0.0)
    return np.where(np.isfinite(before + after + ticks), np.where(turned, np.sign(after), 0.0), np.nan)


def votes(tape: Minutes) -> tuple[FloatArray, FloatArray]:
    """The horizons' weighted vote, each a move in units of the hour's volatility, and the share that agrees with it."""
    minute = positive(volatility(tape, 60))
    pace = _within(volatility(tape, 15) / minute, CALM, WILD)  # in wild minutes the long horizons speak louder
    root = np.sqrt(pace)
    weights = [weight * by for weight, by in zip(WEIGHTS, (1.0 / pace, 1.0 / root, root, pace), strict=True)]
    last = tape.now("close")
    path = tape.path(60)
    told, whole = np.zeros(last.shape), np.zeros(last.shape)
    cast = []
    for span, weight in zip(HORIZONS, weights, strict=True):
        vote = _within((last / path[..., 60 - span] - 1.0) / (minute * float(span) ** 0.5), -1.0, 1.0)
        told, whole = told + vote * weight, whole + weight
        cast.append(np.sign(vote))
    told = told / whole
    way = np.sign(told)
    agreeing = np.zeros(last.shape)
    for vote in cast:
        agreeing = agreeing + (vote == way)
    return told, agreeing / len(cast) + 0.0 * way


def confluence(told: FloatArray, agreeing: FloatArray) -> FloatArray:
    return _within(told * agreeing, -1.0, 1.0)  # weights that make one may pass it by a rounding


def newyork_open(tape: Minutes) -> FloatArray:
    at = tape.now("session_minute")
    return flag((at >= NEW_YORK_OPENS) & (at < NEW_YORK_CLOSES), at)
