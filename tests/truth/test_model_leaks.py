"""Every learner that looks ahead is caught and named, with the reason; the house's own families are left alone."""

import numpy as np
import pytest

from pipelines.store.leak import Known, model_check
from pipelines.training.families import FAMILIES
from tests.test_models import planted
from tests.truth.plants.learners import LEARNERS, MetaLearner, PlantedLearner, honest

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")
DECISIONS = (90, 104, 120, 133)  # the first of each fold, and one inside it


@pytest.fixture(scope="module")
def known() -> Known:
    return Known(*planted.market(21, sessions=140, names=8), horizon=5)


@pytest.mark.parametrize("plant", LEARNERS, ids=lambda plant: f"{plant.label}: {plant.what}")
def test_a_learner_that_looks_ahead_is_caught_and_named(known: Known, plant: PlantedLearner) -> None:
    decisions = DECISIONS if plant.label.startswith("L15") else DECISIONS[:2]
    found = {one.what: one for one in model_check(plant.learner(), known, decisions, seed=3)}
    assert plant.what in found, found
    one = found[plant.what]
    assert plant.reason in one.reason and plant.input in one.input, one.words()
    assert one.first_bad_time in np.asarray(known.panel.sessions[: DECISIONS[-1] + 1]).astype(str)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_families_say_the_same_whatever_comes_later(known: Known, name: str) -> None:
    assert model_check(honest(name), known, DECISIONS, seed=3) == []


def test_sides_asked_before_the_fit_are_left_alone(known: Known) -> None:
    assert model_check(MetaLearner(True, honest("gbm")), known, DECISIONS, seed=3) == []
