"""What the page draws and writes figures with: escaping, scales, and a Sharpe with its interval."""

import datetime as dt

import pytest

from pipelines.report import words
from pipelines.report.charts import Line, columns, date_ticks, line_chart, ticks
from pipelines.report.html import tag
from pipelines.report.interval import drawdown, profit, sharpe_interval
from tests.test_pipelines.report_story import story_sections


def test_profit_and_drawdown_count_from_the_stated_capital() -> None:
    assert profit([1.02, 1.05]) == pytest.approx([0.02, 0.05])
    assert profit([0.02, 0.05]) == [0.02, 0.05]
    assert drawdown([-0.01, 0.05, 0.02]) == pytest.approx([-0.01, 0.0, -0.03])


def test_the_interval_of_a_sharpe_is_that_of_the_textbook_for_normal_returns() -> None:
    one = story_sections()["judged"]["strategies"][6]
    low, high = sharpe_interval(one)
    assert low is not None and high is not None
    assert (low + high) / 2 == pytest.approx(one["sharpe_net"])
    assert (high - low) / 2 == pytest.approx(1.96 * (252 / 504) ** 0.5, rel=0.03)


def test_ticks_are_round_and_inside() -> None:
    assert ticks(-0.04, 0.13, 4) == [0.0, 0.05, 0.1]
    assert ticks(0.0, 1800.0, 4) == [0.0, 500.0, 1000.0, 1500.0]
    days = [dt.date(2024, 1, 15) + dt.timedelta(days=i) for i in range(700)]
    assert [label for _, label in date_ticks(days)] == ["Jul ’24", "Jan ’25", "Jul ’25"]


def test_markup_is_safe_by_default() -> None:
    inner = tag("b", "<i>")
    assert tag("p", inner) == "<p><b>&lt;i&gt;</b></p>"
    assert tag("p", inner + "<") == "<p>&lt;b&gt;&amp;lt;i&amp;gt;&lt;/b&gt;&lt;</p>"
    assert tag("a", None, ["x", False], href='"', hidden=None) == '<a href="&quot;">x</a>'


@pytest.mark.parametrize(
    ("value", "told"),
    [(None, "–"), (float("nan"), "–"), (-0.0001, "0.00"), (-1234.5, "−1,234.50"), (0.999999, "1.00"), (True, "–")],
)
def test_a_number_is_never_a_negative_zero_or_a_nan(value: object, told: str) -> None:
    assert words.number(value) == told


def test_chances_are_never_rounded_to_certainty() -> None:
    assert [words.chance(value) for value in (0.9999999, 0.0, 0.978, None)] == ["> 0.999", "< 0.001", "0.978", "–"]


def test_figures_keep_three_digits_whatever_their_size() -> None:
    values = (0.00042, 12.345, 1_234_567.0, 3, 2.6e-17, 3.1e-7, "text")
    assert [words.figure(value) for value in values] == ["0.0004", "12.35", "1.23 m", "3", "0", "3.1e−07", "text"]


def test_pictures_of_nothing_say_so() -> None:
    assert "Too few sessions" in line_chart([], [Line("a", [], "c1")], label="x")
    assert "Too few sessions" in line_chart(["2025-01-02", "2025-01-03"], [Line("a", [None, None], "c1")], label="x")
    assert "Nothing to draw" in columns(["a"], [None], label="x")


def test_a_gap_in_a_line_lifts_the_pen() -> None:
    drawn = line_chart(["2025-01-02", "2025-01-03", "2025-01-06"], [Line("a", [1.0, None, 2.0], "c1")], label="x")
    assert 'd="M0.0,500.0M1000.0,0.0"' in drawn
