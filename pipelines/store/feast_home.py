"""Open Feast over a home: registry and online store live in <home>/feast and can be made again from the tables."""

import json
import os
from pathlib import Path
from typing import Any

from models.features.registry import FEATURES
from pipelines import digest, durable
from pipelines.home import Home

REPOSITORY = Path(__file__).resolve().parents[2] / "feature_repo"
VARIABLE = "NIGHTDESK_FEAST"


def _objects_digest(home: Home) -> str:
    files = (Path(__file__).with_name("feast_objects.py"), REPOSITORY / "feature_store.yaml")
    told = [(item.declaration(), item.staleness, item.description, item.owner) for item in FEATURES]
    return digest.json_digest([str(home.root), [path.read_text() for path in files], told])


def state(home: Home) -> dict[str, Any]:
    """What the registry and the online store hold; empty when a write to them was cut short."""
    path = home.feast / "state.json"
    return json.loads(path.read_text()) if path.exists() else {}


def write_state(home: Home, value: dict[str, Any]) -> None:
    durable.write_json(home.feast / "state.json", value, failpoint="feast")


def begin_write(home: Home) -> None:
    """Feast writes its files in place: until `write_state` says otherwise, they are not to be trusted."""
    (home.feast / "state.json").unlink(missing_ok=True)


def feast_store(home: Home | Path | str) -> Any:
    """A `feast.FeatureStore` over this home, with every feature applied; for notebooks as for the night."""
    home = home if isinstance(home, Home) else Home(Path(home).expanduser().absolute())
    os.environ[VARIABLE] = str(home.feast)
    from feast import FeatureStore

    objects = _objects_digest(home)
    if state(home).get("objects") == objects:
        return FeatureStore(repo_path=str(REPOSITORY))
    from pipelines.store.feast_objects import feast_objects

    begin_write(home)
    home.feast.mkdir(parents=True, exist_ok=True)
    for name in ("registry.db", "online.db"):
        (home.feast / name).unlink(missing_ok=True)
    store = FeatureStore(repo_path=str(REPOSITORY))
    store.apply(list(feast_objects(home.features).values()))
    write_state(home, {"objects": objects, "online": {}})
    return store
