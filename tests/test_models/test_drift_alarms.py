"""How often calm data alarm, and how surely data that moved do: names that move together, slow ones included."""

import numpy as np
import pytest

from models.validation.divergence import kullback_leibler
from models.validation.drift import (
    any_of,
    edges_of,
    moved,
    population_stability,
    reference_sessions,
    shares,
    shift,
    stability_and_divergence,
    unusual,
    windows_of,
)
from models.validation.multiple import discoveries

SESSIONS, NAMES, WINDOW, FEATURES = 756, 20, 63, 12
# Persistence of a session's common and own part, and how much of the whole is common.
KINDS = ((0.0, 0.0), (0.0, 0.5), (0.9, 0.5), (0.97, 0.5), (0.5, 0.98), (0.98, 0.3))


def calm(rng: np.random.Generator, persistence: float, common: float, sessions: int = SESSIONS) -> np.ndarray:
    """(sessions, names) of unit spread that never changes its law."""
    noise = rng.standard_normal((sessions, NAMES + 1)) * np.sqrt(1.0 - persistence**2)
    noise[0] /= np.sqrt(1.0 - persistence**2)
    path = np.empty_like(noise)
    path[0] = noise[0]
    for row in range(1, sessions):
        path[row] = persistence * path[row - 1] + noise[row]
    return np.sqrt(common) * path[:, :1] + np.sqrt(1.0 - common) * path[:, 1:]


def night(rng: np.random.Generator, kinds: list[tuple[float, float]]) -> tuple[np.ndarray, list[float]]:
    """(alarms by feature, their PSI) of one night over these features, as the nightly has it."""
    found = [moved(calm(rng, *kind), WINDOW) for kind in kinds]
    p_values = np.array([any_of(*one.values()) for one in found])
    return discoveries(p_values) & (p_values < 0.01), [one["psi"].value for one in found]


def rates(nights: int, seed: int = 5) -> tuple[float, float, float]:
    """(share of calm features that alarm, share of nights with any alarm, share above PSI 0.1)."""
    rng, alarms, above = np.random.default_rng(seed), [], []
    for _ in range(nights):
        called, values = night(rng, [KINDS[at % len(KINDS)] for at in range(FEATURES)])
        alarms.append(called)
        above.append(np.array(values) > 0.1)
    return float(np.mean(alarms)), float(np.any(alarms, axis=1).mean()), float(np.mean(above))


def test_calm_features_hardly_ever_alarm_where_fixed_bands_do_on_most() -> None:
    by_feature, by_night, fixed = rates(4)
    assert by_feature <= 0.02 and by_night <= 0.1
    assert fixed > 0.4  # the customary band: no rule for rows that move together


@pytest.mark.slow
def test_calm_features_alarm_no_more_than_they_may() -> None:
    by_feature, by_night, fixed = rates(200)
    assert by_feature <= 0.01 and by_night <= 0.05, (by_feature, by_night)
    assert 0.4 < fixed < 0.99


def test_the_chi_square_null_calls_calm_features_moved() -> None:
    """PSI / (1/n + 1/m) as chi-square with nine degrees of freedom: right for independent rows, and for those only."""
    from scipy.stats import chi2

    rng, rejected = np.random.default_rng(6), {}
    for kind in ((0.0, 0.0), (0.9, 0.5)):
        length = reference_sessions(SESSIONS, WINDOW)
        values = [calm(rng, *kind, sessions=length + WINDOW) for _ in range(60)]
        figures = [population_stability(one[:length].ravel(), one[length:].ravel()) for one in values]
        scale = 1.0 / (length * NAMES) + 1.0 / (WINDOW * NAMES)
        rejected[kind] = float((chi2.sf(np.array(figures) / scale, 9) < 0.01).mean())
    assert rejected[0.0, 0.0] <= 0.1 and rejected[0.9, 0.5] >= 0.56


@pytest.mark.parametrize("kind", [(0.0, 0.0), (0.0, 0.3)])
def test_a_shift_of_one_deviation_is_found_within_sixty_sessions(kind: tuple[float, float]) -> None:
    rng, found = np.random.default_rng(7), 0
    for _ in range(20):
        values = calm(rng, *kind)
        values[-60:] += 1.0
        found += any_of(*moved(values, WINDOW).values()) < 0.05 / 20  # the bar of a single alarm among twenty features
    assert found >= 19


def test_a_change_of_spread_or_shape_is_found_without_a_shift_of_the_mean() -> None:
    values = calm(np.random.default_rng(8), 0.0, 0.2)
    values[-WINDOW:] *= 2.5
    told = moved(values, WINDOW)
    assert told["psi"].p_value < 0.001 and told["kl"].p_value < 0.001 and told["shift"].p_value > 0.05
    assert told["psi"].value > told["psi"].level


def test_every_past_window_has_the_length_and_the_reference_of_the_newest() -> None:
    begins, windows = windows_of(SESSIONS, WINDOW)
    length = reference_sessions(SESSIONS, WINDOW)
    assert begins[-1] == SESSIONS - WINDOW and begins[0] == length
    assert all(begin - length >= 0 and begin + WINDOW <= SESSIONS - WINDOW for begin in begins[:-1])
    assert windows == pytest.approx((SESSIONS - WINDOW - length) / WINDOW)
    assert reference_sessions(1500, WINDOW) == 252 and windows_of(100, WINDOW) == ([], 0.0)


@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 0.95, 1.0])
def test_a_flag_that_is_set_otherwise_than_before_has_moved_whichever_way(share: float) -> None:
    """Of a value that fills most bins both edges count: one alone does not see a column leave it upwards."""
    before, size = np.repeat([0.0, 1.0], [round(1000 * (1 - share)), round(1000 * share)]), 200
    assert population_stability(before, before[:: 1000 // size]) < 0.02
    for other in (0.02, 0.3, 0.97):
        now = np.repeat([0.0, 1.0], [round(size * (1 - other)), round(size * other)])
        psi, kl = stability_and_divergence(before, now)
        assert (psi > 0.1 and kl > 0.05) or abs(other - share) < 0.05
    assert population_stability(np.full(100, 7.0), np.full(50, 7.5)) > 1.0 < population_stability(
        np.full(100, 7.0), np.full(50, 6.5))
    assert np.isnan(shift(np.full(100, 0.1), np.ones(50)))  # no deviation to count in, whatever rounding left


def test_kl_is_on_the_bins_of_psi() -> None:
    rng = np.random.default_rng(9)
    before, now = rng.standard_normal(4000), 0.5 + rng.standard_normal(1000)
    psi, kl = stability_and_divergence(before, now)
    edges = edges_of(before)
    assert kl == kullback_leibler(shares(now, edges), shares(before, edges))
    back = kullback_leibler(shares(before, edges), shares(now, edges))
    assert psi == pytest.approx(kl + back, rel=1e-12)


def test_a_forecast_from_few_windows_is_wider_than_the_past_itself() -> None:
    past = np.random.default_rng(10).standard_normal(4000)
    few, many = (unusual(past, 3.0, windows, signed=True) for windows in (4.0, 1e6))
    assert many.p_value == pytest.approx(0.0027, abs=0.0008) and many.level == pytest.approx(2.58, abs=0.12)
    assert few.p_value > 0.05 and few.level > 2 * many.level
    flat = unusual(np.zeros(20), 0.0, 6.0, signed=True)
    assert flat.p_value == 1.0


def test_discoveries_are_those_of_benjamini_and_hochberg() -> None:
    scipy_stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(11)
    for _ in range(50):
        p_values = rng.uniform(size=15) ** 3
        adjusted = scipy_stats.false_discovery_control(p_values, method="bh")
        assert np.array_equal(discoveries(p_values, 0.1), adjusted <= 0.1)
    assert not discoveries(np.array([np.nan, 0.5])).any()
    assert discoveries(np.array([np.nan, 0.001])).tolist() == [False, True]


def test_a_shift_counts_in_deviations_of_what_came_before() -> None:
    before = np.array([1.0, 3.0, np.nan, 2.0])
    assert shift(before, np.array([4.0, np.nan])) == pytest.approx(2.0)
    assert np.isnan(shift(np.zeros(4), np.ones(2))) and np.isnan(shift(before, np.array([np.nan])))
