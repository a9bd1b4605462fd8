"""Feast over our store, held to a brute-force answer on random restated histories, online store included.

The documented target is 1,000 histories (`pytest -m slow`); sixty run always.
"""

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

BASE = pd.Timestamp("2024-01-01", tz="UTC")
KEYS = ("A", "B", "C")
TTLS = ((None, 5.0), (3.0, None), (0.5, 5.0), (10.0, 0.5))  # hours, of the views a and b
# Feast's own imports warn, and take seconds: one worker runs all that need it.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.xdist_group("feast")]


def history(rng: np.random.Generator, columns: list[str]) -> pd.DataFrame:
    """Events on a coarse grid so that ties abound, one to four versions each, some known before the event."""
    rows = []
    for key in KEYS[: rng.integers(1, 4)]:
        for event in rng.choice(20, size=rng.integers(1, 12), replace=False):
            versions = {int(event + late) for late in rng.choice([-2, 0, 1, 2, 5, 12], size=rng.integers(1, 5))}
            for known in versions:
                rows.append((key, BASE + pd.Timedelta(hours=int(event)), BASE + pd.Timedelta(hours=known),
                             *rng.normal(size=len(columns))))  # fmt: skip
    frame = pd.DataFrame(rows, columns=["key", "event_time", "available_at", *columns])
    return frame.sample(frac=1, random_state=int(rng.integers(1 << 30)))


def truth(frame: pd.DataFrame, asked: pd.DataFrame, ttl: float | None, columns: list[str]) -> np.ndarray:
    """For every asked row, look at every version."""
    hour = pd.Timedelta(hours=1)
    clocks = [((event - BASE) / hour, (known - BASE) / hour)
              for event, known in zip(frame["event_time"], frame["available_at"], strict=True)]  # fmt: skip
    versions = list(zip(frame["key"], clocks, frame[columns].to_numpy().tolist(), strict=True))
    answers = []
    for key, moment in zip(asked["key"], asked["event_timestamp"], strict=True):
        at = (moment - BASE) / hour
        best, values = (-np.inf, -np.inf), [np.nan] * len(columns)
        for owner, (event, known), told in versions:
            if owner == key and event <= at and known <= at and (event, known) > best:
                best, values = (event, known), told
        answers.append(values if ttl is None or best[0] >= at - ttl else [np.nan] * len(columns))
    return np.array(answers, dtype=float).reshape(len(asked), len(columns))


class Repository:
    """A small Feast repository over two tables that each case writes anew."""

    def __init__(self, folder: Path, ttls: tuple[float | None, float | None]) -> None:
        from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource, RepoConfig
        from feast.types import Float64
        from feast.value_type import ValueType

        self.folder, self.ttls = folder, ttls
        folder.mkdir()
        self.write(history(np.random.default_rng(0), ["x", "y"]), history(np.random.default_rng(1), ["z"]))
        self.store = FeatureStore(config=RepoConfig(
            project="p", registry=str(folder / "registry.db"), provider="local",
            offline_store={"type": "pipelines.store.offline.TwoClockOfflineStore"},
            online_store={"type": "sqlite", "path": str(folder / "online.db")},
            materialization={"pull_latest_features": True}, entity_key_serialization_version=3,
        ))  # fmt: skip
        entity = Entity(name="key", join_keys=["key"], value_type=ValueType.STRING)
        views = [
            FeatureView(
                name=name, entities=[entity], ttl=dt.timedelta(hours=ttl) if ttl else None,
                schema=[Field(name=column, dtype=Float64) for column in columns],
                source=FileSource(name=f"{name}_table", path=str(folder / f"{name}.parquet"),
                                  timestamp_field="event_time", created_timestamp_column="available_at"),
            )
            for (name, columns), ttl in zip((("a", "xy"), ("b", "z")), ttls, strict=True)
        ]  # fmt: skip
        self.service = FeatureService(name="both", features=views)
        self.store.apply([entity, *views, self.service])

    def write(self, a: pd.DataFrame, b: pd.DataFrame) -> None:
        for name, frame in (("a", a), ("b", b)):
            frame.to_parquet(self.folder / f"{name}.parquet", index=False, coerce_timestamps="us")

    def check(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        a, b = history(rng, ["x", "y"]), history(rng, ["z"])
        self.write(a, b)
        asked = pd.DataFrame({
            "key": rng.choice([*KEYS, "nobody"], 25), "label": np.arange(25.0),
            "event_timestamp": BASE + pd.to_timedelta(rng.integers(-3, 40, 25) * 0.5, unit="h"),
        })  # fmt: skip
        wanted = self.service if seed % 2 else ["a:x", "a:y", "b:z"]
        got = self.store.get_historical_features(asked.copy(), wanted).to_df()
        assert got["label"].tolist() == asked["label"].tolist()
        expected = np.hstack([truth(a, asked, self.ttls[0], ["x", "y"]), truth(b, asked, self.ttls[1], ["z"])])
        assert np.array_equal(got[["x", "y", "z"]].to_numpy(float), expected, equal_nan=True), f"history {seed}"
        if seed % 10 == 0:  # the statement that the job shows says the same
            job = self.store.get_historical_features(asked.copy(), wanted)
            told = job._con.sql(job.to_sql())
            assert np.array_equal(told.df()[["x", "y", "z"]].to_numpy(float), expected, equal_nan=True), f"sql {seed}"


@pytest.fixture(scope="module")
def repositories(tmp_path_factory: pytest.TempPathFactory) -> list[Repository]:
    folder = tmp_path_factory.mktemp("feast")
    return [Repository(folder / str(n), ttls) for n, ttls in enumerate(TTLS)]


def test_sixty_restated_histories_equal_brute_force(repositories: list[Repository]) -> None:
    for seed in range(60):
        repositories[seed % len(TTLS)].check(seed)


@pytest.mark.slow
def test_a_thousand_restated_histories_equal_brute_force(repositories: list[Repository]) -> None:
    for seed in range(60, 1060):
        repositories[seed % len(TTLS)].check(seed)


def _one(value: float, *, event_hour: int, known_hour: int) -> dict[str, Any]:
    return {"key": "A", "event_time": BASE + pd.Timedelta(hours=event_hour),
            "available_at": BASE + pd.Timedelta(hours=known_hour), "x": value, "y": value}  # fmt: skip


def test_a_restatement_reaches_the_online_store_when_it_is_known_and_not_before(
    repositories: list[Repository],
) -> None:
    repository = repositories[0]
    other = history(np.random.default_rng(5), ["z"])
    rows = [_one(1.0, event_hour=1, known_hour=1), _one(2.0, event_hour=9, known_hour=10)]
    restated = _one(2.5, event_hour=9, known_hour=30)

    def served(rows: list[dict[str, Any]], since_hour: int, until_hour: int) -> float | None:
        repository.write(pd.DataFrame(rows), other)
        since, until = (BASE + pd.Timedelta(hours=hour) for hour in (since_hour, until_hour))
        repository.store.materialize(since.to_pydatetime(), until.to_pydatetime(), feature_views=["a"])
        answer = repository.store.get_online_features(["a:x"], [{"key": "A"}]).to_dict()
        return answer["x"][0]

    assert served([*rows, restated], 0, 9) == 1.0  # the second event is published an hour after it happened
    assert served([*rows, restated], 9, 12) == 2.0
    assert served([*rows, restated], 12, 31) == 2.5  # an old event, outside the window, newly known


def test_what_the_store_cannot_answer_it_says(repositories: list[Repository]) -> None:
    with pytest.raises(NotImplementedError, match="no as-of"):
        repositories[0].store.get_historical_features(
            features=["a:x"], start_date=dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
        ).to_df()


def test_frames_can_be_kept_and_entities_can_be_sql(repositories: list[Repository], tmp_path: Path) -> None:
    repository = repositories[0]
    repository.write(pd.DataFrame([_one(1.0, event_hour=1, known_hour=3)]), history(np.random.default_rng(5), ["z"]))
    job = repository.store.get_historical_features(
        "select 'A' as key, timestamptz '2024-01-01 02:00Z' + n * interval 1 hour as event_timestamp "
        "from range(3) t(n)",
        ["a:x"],
    )
    assert np.array_equal(job.to_df()["x"].to_numpy(), [np.nan, 1.0, 1.0], equal_nan=True)
    from feast.infra.offline_stores.file_source import SavedDatasetFileStorage

    job.persist(SavedDatasetFileStorage(str(tmp_path / "kept.parquet")))
    assert pq.read_metadata(tmp_path / "kept.parquet").num_rows == 3
    with pytest.raises(FileExistsError, match="allow_overwrite"):
        job.persist(SavedDatasetFileStorage(str(tmp_path / "kept.parquet")))
