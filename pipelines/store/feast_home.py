"""Open Feast over a home: registry and online store live in <home>/feast and can be made again from the tables."""

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from models.features.registry import FEATURES
from pipelines import digest, durable
from pipelines.home import Home
from pipelines.libraries_feast import as_written

REPOSITORY = Path(__file__).resolve().parents[2] / "feature_repo"
VARIABLE = "NIGHTDESK_FEAST"
REDIS_PASSWORD = "NIGHTDESK_REDIS_PASSWORD"
SQLITE = "sqlite"


def online_config(address: str) -> dict[str, Any] | None:
    """Feast's settings of a store at `redis://host:port/db`; None for the SQLite file of feature_store.yaml."""
    if address == SQLITE:
        return None
    where = urlsplit(address)
    if where.scheme != "redis" or not where.hostname or where.password:
        raise ValueError(f"features.online={address}: write sqlite or redis://host:port/db; "
                         f"a password is read from {REDIS_PASSWORD}")
    password = os.environ.get(REDIS_PASSWORD)
    parts = [f"{where.hostname}:{where.port or 6379}", f"db={where.path.strip('/') or 0}"]
    # What is written is what is known now, told by the table: an older stamp in the store must not keep it out.
    return {"type": "redis", "skip_dedup": True,
            "connection_string": ",".join([*parts, *([f"password={password}"] if password else [])])}


def _objects_digest(home: Home, online: str) -> str:
    files = (Path(__file__).with_name("feast_objects.py"), REPOSITORY / "feature_store.yaml")
    told = [(item.declaration(), item.staleness, item.description, item.owner) for item in FEATURES]
    return digest.json_digest([str(home.root), online, [path.read_text() for path in files], told])


def state(home: Home) -> dict[str, Any]:
    """What the registry and the online store hold; empty when a write to them was cut short."""
    path = home.feast / "state.json"
    return json.loads(path.read_text()) if path.exists() else {}


def write_state(home: Home, value: dict[str, Any]) -> None:
    durable.write_json(home.feast / "state.json", value, failpoint="feast")


def begin_write(home: Home) -> None:
    """Feast writes its files in place: until `write_state` says otherwise, they are not to be trusted."""
    (home.feast / "state.json").unlink(missing_ok=True)


def _open(home: Home, online: str) -> Any:
    with as_written():
        from feast import FeatureStore
        from feast.repo_config import load_repo_config

    os.environ[VARIABLE] = str(home.feast)
    config = load_repo_config(REPOSITORY, REPOSITORY / "feature_store.yaml")
    other = online_config(online)
    if other is not None:
        config = type(config)(**{**config.model_dump(exclude={"online_store"}, by_alias=True), "online_store": other,
                                 "repo_path": REPOSITORY})
    return FeatureStore(config=config)


def feast_store(home: Home | Path | str, online: str | None = None) -> Any:
    """A `feast.FeatureStore` over this home, with every feature applied; for notebooks as for the night.

    `online` is `sqlite` or `redis://host:port/db`; without it, the one that the last night wrote to.
    """
    home = home if isinstance(home, Home) else Home(Path(home).expanduser().absolute())
    online = online or _remembered(home)
    objects = _objects_digest(home, online)
    if state(home).get("objects") == objects:
        return _open(home, online)
    from pipelines.store.feast_objects import feast_objects

    begin_write(home)
    home.feast.mkdir(parents=True, exist_ok=True)
    for name in ("registry.db", "online.db"):
        (home.feast / name).unlink(missing_ok=True)
    durable.write_atomic(home.feast / "online.txt", f"{online}\n".encode())
    store = _open(home, online)
    store.apply(list(feast_objects(home.features).values()))
    write_state(home, {"objects": objects, "online": {}})
    return store


def _remembered(home: Home) -> str:
    path = home.feast / "online.txt"
    return path.read_text().strip() if path.exists() else SQLITE
