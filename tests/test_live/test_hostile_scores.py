"""Whatever a model says, through the whole engine: no order breaches a limit, whole or in parts."""

import datetime as dt
import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from live.adapters.paper import PaperVenue
from live.backtest import backtest
from live.clock import TapeClock
from live.engine import Engine, Terms
from live.fakes import ListFeed
from live.journal import Journal
from live.risk import Limits
from models.bundle import Bundle, current, load
from models.features.panel import FeaturePanel
from models.intraday import Intraday, Size, StopRule
from models.market.costs import CostModel
from models.signals.intraday import EmaCross
from models.strategy import Models
from pipelines import calendars
from tests.test_live import world
from tests.test_live.test_inside import bundle as rule_bundle
from tests.test_live.test_inside import market
from tests.test_live.test_replay import bars

COMING = world.world().coming
LIMITS = Limits(max_gross=1.2, max_weight=0.2, max_order_notional_usd=1_500_000.0, max_orders_per_session=5,
                price_collar=0.02)
value = st.one_of(st.just(math.nan), st.sampled_from([1e9, -1e9, math.inf, -math.inf, 0.0, 1e-300]),
                  st.floats(-10, 10))


@dataclass(frozen=True)
class Says:
    """A model that has gone mad: these scores, whatever it is shown."""

    scores: tuple[float, ...]

    def score(self, panel: FeaturePanel, row: int) -> NDArray[np.float64]:
        return np.array(self.scores)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = current(world.publish(tmp_path_factory.mktemp("bundles")))
    assert folder is not None
    return load(folder, [world.PUBLIC], 0, calendars.open_at(COMING[0]))


@settings(max_examples=25)
@given(st.lists(st.tuples(*[value] * 14), min_size=2, max_size=2))
def test_no_order_of_a_daily_strategy_breaches_a_limit(
    bundle: Bundle, tmp_path_factory: pytest.TempPathFactory, said: list[tuple[float, ...]]
) -> None:
    """Two sessions on two sets of scores, so that positions are held when the second set comes."""
    costs = CostModel.default()
    with Journal(tmp_path_factory.mktemp("j") / "j.sqlite", synced=False) as journal, np.errstate(all="ignore"):
        for number, scores in enumerate(said):
            models = Models(bundle.models.hmm, Says(scores[:7]), Says(scores[7:]))  # type: ignore[arg-type]
            clock = TapeClock(calendars.open_at(COMING[number]) - dt.timedelta(hours=1))
            engine = Engine(replace(bundle, models=models), journal, PaperVenue(costs), clock,
                            Terms("paper", LIMITS, costs, None))
            equity = engine.book.equity()
            held = engine.book.shares()
            engine.run_session(COMING[number], ListFeed({COMING[number]: bars(number)}))
            _within(journal, COMING[number], held, equity)
        assert journal.verify()


def _within(journal: Journal, session: dt.date, held: dict[str, int], equity: float) -> None:
    intents = [entry.payload for entry in journal.entries("intent", session)]
    assert len(intents) <= LIMITS.max_orders_per_session
    assert len({row["instrument_id"] for row in intents}) == len(intents)  # no duplicate
    sent = {row["order_id"]: row for row in intents}
    book = dict(held)
    for row in intents:
        name, price = row["instrument_id"], row["reference_price"]
        assert price > 0 and abs(row["quantity"]) * price <= LIMITS.max_order_notional_usd
        after = held.get(name, 0) + row["quantity"]
        closes = abs(after) <= abs(held.get(name, 0)) and after * held.get(name, 0) >= 0
        assert closes or abs(after) * price <= LIMITS.max_weight * equity
    for entry in journal.entries("fill", session):
        fill = entry.payload
        order = sent[fill["order_id"]]
        book[fill["instrument_id"]] = book.get(fill["instrument_id"], 0) + fill["quantity"]
        assert fill["quantity"] * order["quantity"] > 0 and abs(fill["quantity"]) <= abs(order["quantity"])
        assert (fill["price"] - order["limit_price"]) * order["quantity"] <= 0
        assert abs(fill["price"] / order["reference_price"] - 1.0) <= LIMITS.price_collar or (
            (fill["price"] - order["reference_price"]) * order["quantity"] < 0)
    decided = journal.last("decision")
    assert decided is not None
    prices = dict(zip(decided.payload["names"], decided.payload["reference"], strict=True))
    opened = {row["instrument_id"] for row in intents if abs(held.get(row["instrument_id"], 0) + row["quantity"])
              > abs(held.get(row["instrument_id"], 0))}
    if opened:
        gross = math.fsum(abs(shares) * prices[name] for name, shares in book.items())
        assert gross <= LIMITS.max_gross * equity * (1 + 1e-9)


@settings(max_examples=12)
@given(st.floats(1e-6, 1e9), st.sampled_from(["weight", "shares", "fixed_fractional", "atr", "volatility"]))
def test_no_size_that_a_rule_asks_for_gets_past_the_limits(
    tmp_path_factory: pytest.TempPathFactory, amount: float, method: str
) -> None:
    chosen = rule_bundle(Intraday(every_minutes=30, rule=EmaCross(2, 5, short=True),
                                  size=Size(method, amount), stop=StopRule("fixed", pct=0.01)))  # type: ignore[arg-type]
    folder = tmp_path_factory.mktemp("r")
    feed = ListFeed({day: tape for day, tape in list(market(volume=1e7).items())[:2]})
    backtest(chosen, feed, folder / "j.sqlite", limits=LIMITS)
    with Journal(folder / "j.sqlite") as journal:
        held: dict[str, int] = {}
        kinds = {entry.payload["order_id"]: entry.payload for entry in journal.entries("intent")}
        counts: dict[str | None, int] = {}
        for entry in journal.entries("intent"):
            if not entry.payload.get("reduce_only"):
                counts[entry.session] = counts.get(entry.session, 0) + 1
        assert all(count <= LIMITS.max_orders_per_session for count in counts.values())
        for entry in journal.entries("fill"):
            fill = entry.payload
            name, before = fill["instrument_id"], held.get(fill["instrument_id"], 0)
            held[name] = before + fill["quantity"]
            assert abs(fill["quantity"]) * fill["price"] <= LIMITS.max_order_notional_usd * 1.02
            if abs(held[name]) > abs(before):
                assert not kinds[fill["order_id"]].get("reduce_only")
                assert abs(held[name]) * fill["price"] <= LIMITS.max_weight * 1.02 * CostModel.default().capital_usd
