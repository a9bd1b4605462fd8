"""Every learner that looks ahead is caught and named, with the reason; the house's own families are left alone."""

import datetime as dt

import numpy as np
import pytest

from pipelines.home import Home
from pipelines.store import build
from pipelines.store.frame import decision_panel
from pipelines.store.leak import Known, Walk, model_check
from pipelines.store.recipe import USUAL
from pipelines.training.families import FAMILIES, family
from pipelines.training.inputs import Inputs
from pipelines.training.prices import label_returns, read_prices, revisions
from tests.test_models import planted
from tests.truth import nulls_markets
from tests.truth.nulls_skill import CONFIGS
from tests.truth.planting import live_through
from tests.truth.plants.learners import LEARNERS, MetaLearner, PlantedLearner, honest

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")
DECISIONS = (90, 104, 120)  # the first of each fold, and one inside it


@pytest.fixture(scope="module")
def known() -> Known:
    return Known(*planted.market(21, sessions=125, names=8), horizon=5)


@pytest.mark.parametrize("plant", LEARNERS, ids=lambda plant: f"{plant.label}: {plant.what}")
def test_a_learner_that_looks_ahead_is_caught_and_named(known: Known, plant: PlantedLearner) -> None:
    decisions = DECISIONS[1:3] if plant.label.startswith("L15") else DECISIONS[:1]
    found = {one.what: one for one in model_check(plant.learner(), known, decisions, seed=3)}
    assert plant.what in found, found
    one = found[plant.what]
    assert plant.reason in one.reason and plant.input in one.input, one.words()
    assert one.first_bad_time in np.asarray(known.panel.sessions[: DECISIONS[-1] + 1]).astype(str)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_families_say_the_same_whatever_comes_later(known: Known, name: str) -> None:
    assert model_check(honest(name), known, DECISIONS[1:3], seed=3) == []


def test_sides_asked_before_the_fit_are_left_alone(known: Known) -> None:
    assert model_check(MetaLearner(True, honest("gbm")), known, DECISIONS[1:3], seed=3) == []


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Home, dt.datetime, Inputs]]:
    """One lake before a late split and a corrected bar came in, another after them."""
    told = []
    for nights in ((2,), (2, 5)):
        home, now = live_through(tmp_path_factory.mktemp("nights"), nights=nights)
        for view, features in USUAL.families().items():
            build.build_family(home, view, features)
        panel = decision_panel(home, now=now)
        told.append((home, now, Inputs(panel, label_returns(read_prices(home, now, panel), panel))))
    return told


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", FAMILIES)
def test_what_came_into_the_lake_later_changes_no_bit_of_a_model_or_of_what_it_said(
    nights: list[tuple[Home, dt.datetime, Inputs]], name: str,
) -> None:
    (_, _, then), (home, now, later) = nights
    row = len(then.panel.sessions) - 1
    told = Inputs(later.panel, later.returns, revisions(home, now, later.panel, later.returns, [row]))
    assert len(told.revisions.values) == 1  # the day of the split: half the price was lost, as far as anybody knew
    own = tuple(column for column in then.panel.features if not column.startswith(("mkt_", "put_", "share_", "gamma_")))
    config = family(name).small(own[:5], ("mkt_ret_1", "mkt_vol_20"))
    walk = Walk(name, config, first=row, step=30, risk_window=40)
    first = list(walk.tell(Known(then.panel, then.returns, 5), row))
    assert first == list(walk.tell(Known(told.panel, told.as_known(row), 5), row)) and len(first) == 2
    if name != "hmm":  # whose states are not made of returns that are labels
        assert first[0] != next(iter(walk.tell(Known(told.panel, told.returns, 5), row)))


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_the_families_as_a_night_fits_them_say_the_same_whatever_comes_later(name: str) -> None:
    market = nulls_markets.sandbox(1.0, 1)
    walk = Walk(name, CONFIGS[name], step=63 if name == "gbm" else 126)
    assert model_check(walk, Known(market.panel, market.returns, 5), (252, 330), seed=1) == []
