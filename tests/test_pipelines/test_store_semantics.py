"""Feast's own file store and ours, asked the same: services, on-demand views, full names, ttl. Where its stock store
keeps a row, ours has the same values; ours keeps every row asked for, in its order."""

import datetime as dt
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipelines.libraries_feast import as_written
from tests.test_pipelines.test_store_feast import BASE, history

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.xdist_group("feast")]


@pytest.fixture(scope="module", autouse=True)
def feast_is_loaded() -> None:
    """It sets filters of warnings while it is loaded: here they end with the loading."""
    with warnings.catch_warnings(), as_written():
        import feast.infra.offline_stores.dask
        import feast.stream_feature_view  # noqa: F401


def _repository(folder: Path, offline: str) -> Any:
    from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource, RepoConfig
    from feast.on_demand_feature_view import on_demand_feature_view
    from feast.types import Float64
    from feast.value_type import ValueType

    work = folder / offline.rsplit(".", 1)[-1]
    work.mkdir()
    store = FeatureStore(config=RepoConfig(
        project="p", registry=str(work / "registry.db"), provider="local", offline_store={"type": offline},
        online_store={"type": "sqlite", "path": str(work / "online.db")}, entity_key_serialization_version=3,
    ))  # fmt: skip
    entity = Entity(name="key", join_keys=["key"], value_type=ValueType.STRING)
    view = FeatureView(
        name="a", entities=[entity], ttl=dt.timedelta(hours=6),
        schema=[Field(name="x", dtype=Float64), Field(name="y", dtype=Float64)],
        source=FileSource(name="table", path=str(folder / "a.parquet"), timestamp_field="event_time",
                          created_timestamp_column="available_at"),
    )  # fmt: skip

    @on_demand_feature_view(sources=[view], schema=[Field(name="ratio", dtype=Float64)], mode="pandas")
    def derived(rows: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"ratio": rows["x"] / rows["y"]})

    service = FeatureService(name="both", features=[view[["x"]], derived])
    store.apply([entity, view, derived, service])
    return store


@pytest.mark.parametrize("seed", range(2))
def test_services_and_on_demand_views_answer_as_on_feast_s_own_store(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = history(rng, ["x", "y"]).drop_duplicates(["key", "event_time"])  # a restatement is where they differ
    rows["available_at"] = rows["event_time"]
    rows.to_parquet(tmp_path / "a.parquet", index=False, coerce_timestamps="us")
    asked = pd.DataFrame({
        "key": rng.choice(["A", "B", "C"], 20), "label": np.arange(20.0),
        "event_timestamp": BASE + pd.to_timedelta(rng.integers(0, 40, 20) * 0.5, unit="h"),
    }).drop_duplicates(["key", "event_timestamp"])  # fmt: skip
    ours, stock = (_repository(tmp_path, kind) for kind in ("pipelines.store.offline.TwoClockOfflineStore", "dask"))
    for wanted, full in ((("service",), False), (("a:x", "a:y", "derived:ratio"), True)):
        answers = []
        for store in (ours, stock):
            features = store.get_feature_service("both") if wanted == ("service",) else list(wanted)
            job = store.get_historical_features(asked.copy(), features, full_feature_names=full)
            answers.append(job.to_df())
        mine, theirs = answers
        assert mine["label"].tolist() == asked["label"].tolist()
        assert set(mine.columns) == set(theirs.columns)
        columns = [name for name in theirs.columns if name not in asked.columns]
        kept = mine.set_index("label").loc[theirs["label"]]
        assert len(theirs) and np.array_equal(kept[columns].to_numpy(float), theirs[columns].to_numpy(float),
                                              equal_nan=True)  # fmt: skip
        dropped = mine[~mine["label"].isin(theirs["label"])]
        assert dropped[columns].isna().all().all()  # what it leaves out, ours says is unknown
    ours.materialize(BASE.to_pydatetime(), (BASE + pd.Timedelta(hours=20)).to_pydatetime())
    told = ours.get_online_features(ours.get_feature_service("both"), [{"key": "A"}]).to_dict()
    newest = rows[rows["key"] == "A"].sort_values("event_time").iloc[-1]
    assert told["x"] == [newest["x"]]
    assert told["ratio"] == [newest["x"] / newest["y"]]
