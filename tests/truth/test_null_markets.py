"""A market or two in every run: skill where something is planted, none where the labels were dealt out again; hundreds
with `make truth-null`. And the table's arithmetic."""

from functools import partial

import numpy as np
import pytest

from pipelines.evidence.calibration import bars
from tests.truth import nulls, nulls_markets
from tests.truth.nulls_skill import FAMILIES, skill
from tests.truth.nulls_table import extra, judged, lines

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")
ONE_FOLD = {"first": 255, "step": 1000, "slow_step": 1000}


@pytest.fixture(scope="module")
def trending() -> nulls_markets.Market:
    """Recent winners go on winning, five times as strongly as in the markets that hide it, and what is decided is
    filled in this very market."""
    return nulls_markets.of_bars(bars.null_bars("factor_cross_section", 3, 1, partial(bars.trending, trend=0.15)))


@pytest.mark.parametrize("family", ["momentum", "gbm", "hmm", pytest.param("gnn", marks=pytest.mark.slow)])
def test_skill_is_seen_where_it_is_planted_and_nowhere_else(family: str, trending: nulls_markets.Market) -> None:
    market = nulls_markets.regimes(0.8, 1) if family == "hmm" else trending
    assert skill(family, market, **ONE_FOLD)["t"] > 5.0
    assert abs(skill(family, nulls_markets.permuted(market, 1), **ONE_FOLD)["t"]) < 3.5


def test_null_markets_keep_their_returns_and_lose_their_order(trending: nulls_markets.Market) -> None:
    market = trending
    shifted = nulls_markets.shifted(market, 3).returns[: market.labelled]
    known = market.returns[: market.labelled]
    assert np.array_equal(np.sort(shifted, axis=None), np.sort(known, axis=None), equal_nan=True)
    begin = next(by for by in range(market.labelled) if np.array_equal(np.roll(known, by, axis=0), shifted, True))
    assert nulls_markets.LEAST_SHIFT <= begin <= market.labelled - nulls_markets.LEAST_SHIFT
    dealt = nulls_markets.permuted(market, 3).returns
    assert np.array_equal(np.isfinite(dealt), np.isfinite(market.returns))
    rows = [set(row[np.isfinite(row)]) for row in known]
    assert all(any(set(row[np.isfinite(row)]) <= one for one in rows) for row in dealt[:5])


def _answers(family: str, kind: str, strength: float, skills: list[float]) -> list[dict[str, object]]:
    return [{"family": family, "kind": kind, "strength": strength, "skill": one, "t": 100 * one} for one in skills]


def test_the_table_tells_luck_from_skill_and_growth_from_none() -> None:
    luck = [-0.01, 0.012, -0.004, 0.003, 0.001, -0.002]
    cells = judged([*_answers("gbm", "zero", 0.0, luck), *_answers("gnn", "zero", 0.0, [one + 0.05 for one in luck]),
                    *_answers("gbm", "planted", 0.5, [0.03, 0.04]), *_answers("gbm", "planted", 1.0, [0.02, 0.03]),
                    *_answers("momentum", "planted", 0.5, [-0.01, -0.02]),
                    *_answers("momentum", "planted", 1.0, [-0.03, -0.02])])
    assert {(one.family, one.kind, one.strength): one.right for one in cells} == {
        ("gbm", "planted", 0.5): True, ("gbm", "planted", 1.0): False, ("gbm", "zero", 0.0): True,
        ("gnn", "zero", 0.0): False, ("momentum", "planted", 0.5): True, ("momentum", "planted", 1.0): True}
    null = next(one for one in cells if one.family == "gbm" and one.kind == "zero")
    bound = 2.015 * np.std(luck, ddof=1) / 6**0.5  # Student's with five degrees of freedom
    assert null.mean == pytest.approx(0.0) and null.at_most == pytest.approx(bound, rel=1e-3)
    assert sum(line.endswith("WRONG") for line in lines(cells)) == 2


def test_what_one_family_shows_beyond_another_is_told_on_the_same_markets() -> None:
    def one(family: str, number: int, skill: float) -> dict[str, object]:
        return {"family": family, "kind": "zero", "strength": 0.0, "number": number, "skill": skill}

    (told,) = extra([one("gnn", 0, 0.03), one("gnn", 1, 0.05), one("gnn", 7, 9.0), one("rotation", 0, 0.01),
                     one("rotation", 1, 0.02)], "gnn", "rotation")
    assert told == "gnn over rotation, zero 0: +0.0250 ± 0.0635 (2 markets)"  # 12.706 · 0.00707 / √2


def test_every_kind_is_asked_of_every_family_before_the_second_market() -> None:
    asked = list(nulls.questions(nulls.MARKETS, nulls.PLANTED_MARKETS))
    first = [one for one in asked if one.number == 0]
    assert asked[: len(first)] == first and {(one.family, one.kind) for one in first} == {
        (family, kind) for family in FAMILIES for kind in (*nulls.KINDS, "planted")}
    assert sum(one.family == "gbm" and one.kind == "zero" for one in asked) == 100
    assert len({one.name for one in asked}) == len(asked)
