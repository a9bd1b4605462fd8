"""The decay test against published run lengths, and against markets that are not as normal as its arithmetic."""

import numpy as np
import pytest
from scipy import stats

from models.validation import decay
from models.validation.decay import Watch, mean_run_length, one_below


@pytest.mark.parametrize(("level", "shift", "published"), [
    (4.0, 0.0, 335.37), (5.0, 0.0, 930.89), (4.0, 1.0, 8.38), (5.0, 1.0, 10.38), (4.0, 0.5, 26.6), (5.0, 0.5, 38.0),
])  # fmt: skip
def test_run_lengths_are_the_published_ones(level, shift, published):
    assert mean_run_length(0.5, level, shift) == pytest.approx(published, rel=0.005)


def _wild(rng, count, sharpe, sessions):
    """Student-t returns with GARCH volatility, of a stated annual Sharpe; (sessions, count)."""
    noise = rng.standard_t(5, size=(sessions, count)) / np.sqrt(5 / 3)
    variance, made = np.ones(count), np.empty((sessions, count))
    for at in range(sessions):
        made[at] = np.sqrt(variance) * noise[at]
        variance = 0.02 + 0.06 * made[at] ** 2 + 0.92 * variance
    return 0.01 * (made + sharpe / np.sqrt(decay.YEAR))


def test_a_healthy_strategy_is_not_called_ill_before_two_years_on_average():
    watch, rng = Watch(healthy=2.0, broken=-1.0), np.random.default_rng(3)
    returns = _wild(rng, 400, 2.0, 4000)
    first = [np.flatnonzero(watch.statistic(path, 0.01) >= watch.level)[:1] for path in returns.T]
    waited = np.array([int(at[0]) + 1 if len(at) else len(returns) for at in first])
    assert waited.mean() >= decay.FALSE_ALARM_SESSIONS


def test_a_break_is_found_in_the_stated_time():
    watch, rng = Watch(healthy=2.0, broken=-1.0), np.random.default_rng(4)
    stated = watch.median_sessions_to_detect
    returns = _wild(rng, 400, -1.0, 3000)
    first = [np.flatnonzero(watch.statistic(path, 0.01) >= watch.level)[:1] for path in returns.T]
    waited = np.array([int(at[0]) + 1 if len(at) else len(returns) for at in first])
    assert stated is not None and np.median(waited) == pytest.approx(stated, rel=0.15)


def test_the_statistic_forgets_what_was_good_and_adds_up_what_was_bad():
    watch = Watch(healthy=2.0, broken=0.0)
    assert (watch.statistic(np.full(50, 0.02), 0.01) == 0.0).all()
    falling = watch.statistic(np.full(10, -0.01), 0.01)
    assert (np.diff(falling) > 0.0).all()
    assert falling[-1] == pytest.approx(10 * (2.0 / np.sqrt(252) + 1.0 - watch.gap / 2.0))


def test_no_watch_over_what_never_was_better_than_broken():
    with pytest.raises(ValueError, match="not above"):
        Watch(healthy=0.0, broken=0.0)


def test_one_standard_error_below_is_told_with_its_figures_and_needs_sessions():
    """16 of 100 looks at a strategy as good as ever, were the newer figure exact; more, since it is not."""
    judged = np.random.default_rng(2).normal(0.002, 0.01, 504)
    told = one_below(judged, judged[:250])
    assert told.judged == pytest.approx(judged.mean() / judged.std(ddof=1) * np.sqrt(252))
    sharpe = told.judged / np.sqrt(252)
    skew, kurtosis = stats.skew(judged), stats.kurtosis(judged, fisher=False)
    assert told.error == pytest.approx(np.sqrt((1 - skew * sharpe + (kurtosis - 1) / 4 * sharpe**2) / 503 * 252))
    edge = judged - judged.mean() + judged.std(ddof=1) * (sharpe - told.error / np.sqrt(252))
    assert not one_below(judged, edge + 1e-9).below and one_below(judged, edge - 1e-9).below
    assert one_below(judged, judged[:2]).below is None and one_below(judged, np.zeros(40)).below is None
