"""Whatever a model asks for, nothing beyond a hard limit gets through."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from live.risk import Limits, Proposal, RiskState, Situation, after_loss, screen

NAMES = "ABCDEF"
LIMITS = Limits(max_gross=1.5, max_weight=0.3, max_order_notional_usd=250_000.0, max_orders_per_session=4)
number = st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.floats(-1e9, 1e9), st.just(50.0))
proposal = st.builds(
    Proposal, instrument_id=st.sampled_from(NAMES), quantity=st.integers(-10**9, 10**9).filter(bool),
    price=st.one_of(number, st.floats(1.0, 500.0)), score=number, tradable=st.booleans(),
)
asked = st.lists(proposal, max_size=8, unique_by=lambda one: one.instrument_id)
held = st.dictionaries(st.sampled_from(NAMES), st.integers(-5_000, 5_000))


def situation(
    shares: dict[str, int], state: RiskState = RiskState.ACTIVE, equity: float = 1e6, stale: int = 0
) -> Situation:
    return Situation(equity, shares, dict.fromkeys(NAMES, 50.0), stale, state)


@settings(max_examples=300, deadline=None)
@given(asked, held)
def test_no_limit_is_breached_whatever_is_asked(proposals: list[Proposal], shares: dict[str, int]) -> None:
    now = situation(shares)
    verdicts = [verdict for verdict in screen(LIMITS, now, proposals) if verdict.quantity]
    assert len(verdicts) <= LIMITS.max_orders_per_session
    exposure = {name: abs(count) * 50.0 for name, count in shares.items()}
    for verdict in verdicts:
        wanted, before = verdict.proposal, shares.get(verdict.proposal.instrument_id, 0)
        assert math.isfinite(wanted.price) and wanted.price > 0
        assert math.isfinite(wanted.score) or not wanted.tradable
        assert abs(verdict.quantity) * wanted.price <= LIMITS.max_order_notional_usd
        if abs(before + verdict.quantity) > abs(before) or before * (before + verdict.quantity) < 0:
            value = abs(before + verdict.quantity) * wanted.price
            assert value <= LIMITS.max_weight * now.equity
            exposure[wanted.instrument_id] = max(exposure.get(wanted.instrument_id, 0.0), value)
            assert math.fsum(exposure.values()) <= LIMITS.max_gross * now.equity * (1 + 1e-12)


@settings(max_examples=150, deadline=None)
@given(asked, held)
def test_reducing_only_brings_positions_nearer_to_zero(proposals: list[Proposal], shares: dict[str, int]) -> None:
    for verdict in screen(LIMITS, situation(shares, RiskState.REDUCING), proposals):
        before = shares.get(verdict.proposal.instrument_id, 0)
        after = before + verdict.quantity
        assert abs(after) <= abs(before) and after * before >= 0


@settings(max_examples=100, deadline=None)
@given(asked, held, st.sampled_from(["halted", "stale", "equity"]))
def test_nothing_at_all_when_halted_on_stale_data_or_without_equity(
    proposals: list[Proposal], shares: dict[str, int], why: str
) -> None:
    now = {
        "halted": situation(shares, RiskState.HALTED), "stale": situation(shares, stale=1),
        "equity": situation(shares, equity=math.nan),
    }[why]
    assert not any(verdict.quantity for verdict in screen(LIMITS, now, proposals))


def test_a_refusal_names_its_limit_with_the_value_it_would_have_come_to() -> None:
    (verdict,) = screen(LIMITS, situation({}), [Proposal("A", 4_999, 60.0, 1.0, True)])
    assert verdict.refused_by == "order_notional_usd"
    told = {check.limit: check for check in verdict.checks}
    assert (told["order_notional_usd"].value, told["order_notional_usd"].threshold) == (299_940.0, 250_000.0)


def test_a_name_without_a_score_is_left_alone_but_one_that_left_the_universe_can_be_sold() -> None:
    now = situation({"A": 100, "B": 100})
    unscored, gone = screen(LIMITS, now, [Proposal("A", -100, 50.0, math.nan, True),
                                          Proposal("B", -100, 50.0, math.nan, False)])
    assert (unscored.quantity, unscored.refused_by) == (0, "score")
    assert gone.quantity == -100


def test_limits_off_lets_everything_real_through() -> None:
    (verdict,) = screen(Limits.off(), situation({}), [Proposal("A", 10**7, 50.0, 1.0, True)])
    assert verdict.quantity == 10**7


def test_losses_only_ever_tighten_the_state() -> None:
    assert after_loss(RiskState.ACTIVE, 0.01, 0.04, 0.08) is RiskState.ACTIVE
    assert after_loss(RiskState.ACTIVE, 0.05, 0.04, 0.08) is RiskState.REDUCING
    assert after_loss(RiskState.REDUCING, 0.01, 0.04, 0.08) is RiskState.REDUCING
    assert after_loss(RiskState.REDUCING, 0.09, 0.04, 0.08) is RiskState.HALTED
    assert after_loss(RiskState.HALTED, -1.0, 0.04, 0.08) is RiskState.HALTED
