"""MLflow's registry follows the records, whatever becomes of it in between."""

import pytest
from mlflow.tracking import MlflowClient

from pipelines.evidence import registry
from pipelines.training.tracking import store_of
from tests.test_pipelines.test_evidence_acts import acting, two_champions
from tests.test_pipelines.test_evidence_records import packed  # noqa: F401  (a fixture)

pytestmark = pytest.mark.filterwarnings("ignore")
SLOT = "daily-equity"


def told(home):
    """(bundle number, act, aliases) of every version, in the order they were made."""
    client = MlflowClient(tracking_uri=f"sqlite:///{store_of(home)}")
    aliases = {str(version): name for name, version in client.get_registered_model(SLOT).aliases.items()}
    return [(one.tags["nightdesk.bundle"], one.tags["nightdesk.act"], aliases.get(str(one.version)))
            for one in sorted(client.search_model_versions(f"name = '{SLOT}'"), key=lambda one: int(one.version))]


def test_versions_and_the_champion_s_alias_are_those_of_the_records(tmp_path, packed):  # noqa: F811
    home = two_champions(tmp_path, packed)
    home.mlflow.mkdir()
    assert registry.derive_if_new(home) == {"versions": 2, "aliases": {"champion": "2"}}
    both = [("1", "promote", None), ("2", "refresh", "champion")]
    assert told(home) == both
    acting(home, "worse than before").rollback()
    registry.derive_if_new(home)
    assert told(home) == [("1", "promote", None), ("2", "refresh", None), ("3", "promote", "champion")]
    acting(home, "what a day").kill()
    registry.derive_if_new(home)
    assert [alias for _, _, alias in told(home)] == [None, None, None]


def test_a_registry_that_was_thrown_away_or_changed_by_hand_is_made_again(tmp_path, packed):  # noqa: F811
    home = two_champions(tmp_path, packed)
    home.mlflow.mkdir()
    registry.derive_if_new(home)
    client = MlflowClient(tracking_uri=f"sqlite:///{store_of(home)}")
    client.set_registered_model_alias(SLOT, "champion", "1")
    registry.derive(home)
    assert told(home)[1][2] == "champion" and told(home)[0][2] is None
    store_of(home).unlink()
    assert registry.derive_if_new(home)["versions"] == 2 and told(home)[1] == ("2", "refresh", "champion")
