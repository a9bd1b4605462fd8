"""Rows laid out by hand are the canonical text, whatever is in them."""

import hashlib
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from live import canonical, rows
from live.clock import from_us, text_of
from live.orders import State, client_order_id, client_order_ids
from live.risk import Checks

ODD = st.sampled_from([None, True, 7, -0.0, math.nan, math.inf, -math.inf, np.float64(0.1), 1e308, 5e-324, "x", [], {}])
NUMBER = st.floats() | ODD
FINITE = st.floats(allow_nan=False, allow_infinity=False)
COUNT = st.integers() | ODD
WORD = st.text(max_size=8) | st.sampled_from([*State, 'a"\\\n\x7f\x01', "é", None, 3])
CHECK = st.fixed_dictionaries({"limit": st.sampled_from(["gross", 'a"b']), "value": NUMBER,
                               "threshold": st.sampled_from([0.0, -0.0, 1, 1.0, True, None, "inf", 2.5]),
                               "passed": st.sampled_from([True, False, 1, None])}, optional={"more": NUMBER})
CHECKS = st.lists(CHECK, max_size=3) | st.sampled_from([[], [{"b": 1.5, "a": None}]])
USUAL: dict[str, dict[str, Any]] = {
    "signal": {"decision_id": "", "bundle_seq": 0, "state": "", "equity": 0.0,
               "items": {"M": {"side": 0.0, "close": 0.0, "target": 0, "held": 0, "memory": [0.0, 0.0]}}},
    "intent": {"decision_id": "", "symbol": "", "asked": 0, "reference_price": 0.0, "checks": [], "order_id": "",
               "instrument_id": "", "quantity": 0, "limit_price": 0.0, "kind": ""},
    "ack": {"order_id": "", "accepted": True, "reason": "", "state": ""},
    "fill": {"order_id": "", "instrument_id": "", "state": "", "quantity": 0, "price": 0.0, "cost": 0.0,
             "costs": {"spread": 0.0, "fee": 0.0, "impact": 0.0}},
    "trade": {"instrument_id": "", "decision_id": "", "side": 0, "shares": 0, "entry": 0.0, "exit": 0.0, "reason": "",
              "opened_at": "", "closed_at": "", "holding_min": 0.0, "costs": 0.0, "pnl": 0.0, "R": 0.0, "mfe_R": 0.0,
              "mae_R": 0.0, "slippage_bp": 0.0}}


def like(told: Any, odd: bool) -> st.SearchStrategy[Any]:
    """Values of the same kinds; with `odd` ones, of others too, in a row that lacks or has more."""
    if isinstance(told, dict):
        whole = st.fixed_dictionaries({name: like(one, odd) for name, one in told.items()})
        if not odd:
            return whole
        return st.tuples(whole, st.sampled_from([*told, None]), st.booleans(), st.booleans()).map(
            lambda one: {**{name: value for name, value in one[0].items() if one[2] or name != one[1]},
                         **({"reduce_only": True} if one[3] else {})})
    if isinstance(told, list):
        return st.lists(like(told[0], odd), max_size=3) if told else CHECKS
    if isinstance(told, bool):
        return st.booleans()
    kinds = ((float, FINITE, NUMBER), (int, st.integers(), COUNT), (str, st.text(max_size=8), WORD))
    return next((strange if odd else usual) for kind, usual, strange in kinds if isinstance(told, kind))


def said(write: Any, *words: Any) -> str | type[Exception]:
    try:
        return str(write(*words))
    except (TypeError, ValueError) as problem:
        return type(problem)


@pytest.mark.parametrize("odd", [False, True])
@pytest.mark.parametrize("kind", USUAL)
def test_a_row_is_its_canonical_text(kind: str, odd: bool) -> None:
    @settings(max_examples=120, deadline=None, database=None)
    @given(like(USUAL[kind], odd))
    def same(row: dict[str, Any]) -> None:
        assert said(rows.text, kind, row) == said(canonical.text, row)

    same()
    filled = {name: 1.5 if one == 0.0 and isinstance(one, float) else one for name, one in USUAL[kind].items()}
    assert rows._LAID[kind](filled) == canonical.text(filled)  # the short way is really taken


LOOKED = st.lists(st.tuples(st.sampled_from(["gross", 'a"b', "sector:100%"]), st.floats() | st.integers(-9, 9),
                            st.sampled_from([0.0, 2.5, 500, math.inf]), st.booleans()), max_size=12)


@settings(max_examples=60, deadline=None, database=None)
@given(LOOKED, FINITE)
def test_limits_that_were_looked_at_are_laid_out_as_they_are_told(looked: Any, price: float) -> None:
    row = {**USUAL["intent"], "limit_price": price}
    told = canonical.text({**row, "checks": Checks(looked).told()})
    assert told == rows.text("intent", {**row, "checks": Checks(looked)})
    assert told == canonical.text({**row, "checks": Checks(looked)})


@given(st.lists(st.lists(st.floats(), min_size=2, max_size=2), min_size=1, max_size=3))
@settings(max_examples=40, deadline=None, database=None)
def test_an_array_is_packed_as_its_numbers_are(values: list[list[float]]) -> None:
    told = canonical.packed(np.array(values))
    assert told == [[canonical.plain(value) for value in row] for row in values]
    assert canonical.text({"": told}) == canonical.text({"": [[canonical.plain(one) for one in row] for row in values]})


@given(st.integers(-10**16, 10**17), st.sampled_from([1, 1_000_000, 60_000_000]))
def test_an_instants_text_is_isoformats(instant_us: int, step_us: int) -> None:
    whole_us = instant_us - instant_us % step_us
    assert text_of(whole_us) == from_us(whole_us).isoformat()


@settings(max_examples=40, deadline=None, database=None)
@given(st.lists(st.text(max_size=5), min_size=6, max_size=6))
def test_ids_made_together_are_those_made_one_by_one(words: list[str]) -> None:
    assert client_order_ids(*words[:4])(*words[4:]) == client_order_id(*words)
    joined = hashlib.sha256("\x1f".join(["order", *words]).encode()).hexdigest()
    assert client_order_id(*words) == f"o-{joined[:20]}"
