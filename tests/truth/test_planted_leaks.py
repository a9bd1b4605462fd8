"""Every planted leak is caught and named: the feature, an entity, the first bad time, and the input that moved it.

One of each kind is planted in every run, in test_store_nights; the whole catalogue is here.
"""

from collections.abc import Iterator

import pytest

from tests.truth.planting import Field, live_through, named
from tests.truth.plants import PLANTS, Plant

pytestmark = pytest.mark.filterwarnings("ignore")  # numpy warns where a window is all missing
KINDS = ("L1", "L2", "L3", "L4", "L7", "L8", "L9", "L10", "L11", "L13", "L14")


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    folder = tmp_path_factory.mktemp("plants")
    field = Field(*live_through(folder / "home"), folder)
    yield field
    field.close()


@pytest.mark.slow
@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.label)
def test_a_planted_leak_is_caught_and_named(field: Field, plant: Plant) -> None:
    found = field.catch(plant)
    assert found and named(plant, found), found


def test_each_kind_of_leak_is_planted_in_five_ways() -> None:
    assert {kind: sum(plant.number == kind for plant in PLANTS) >= 5 for kind in KINDS} == dict.fromkeys(KINDS, True)
    assert len({plant.label for plant in PLANTS}) == len(PLANTS)
