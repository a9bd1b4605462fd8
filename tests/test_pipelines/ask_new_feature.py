"""What every user of the registry says of one feature; run in a copy of the house where it was added: prints JSON."""

import datetime as dt
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

REF, VIEW, NAME = "equity_v1:range_share", "equity_v1", "range_share"


def of_the_catalogue() -> dict[str, Any]:
    from pipelines.report.catalogue import compose
    from pipelines.store import catalogue

    told = catalogue.entries()
    return {"formula": {one["ref"]: one for one in told}[REF]["formula"], "page": f'id="{REF}"' in compose(told)}


def of_feast() -> dict[str, Any]:
    from pipelines.store.feast_objects import feast_objects

    objects = feast_objects(Path("features"))
    served = [one.name for view in objects["daily_equity_v1"].feature_view_projections for one in view.features]
    return {"field": {field.name: field.description for field in objects[VIEW].schema}[NAME], "served": served}


def of_dagster() -> bool:
    from pipelines.defs.features.assets import family_assets

    (asset,) = [one for one in family_assets if one.key.path == ["features", VIEW]]
    return f"`{NAME}`" in asset.descriptions_by_key[asset.key]


def _peek(high_tr: np.ndarray, low_tr: np.ndarray, close_tr: np.ndarray) -> np.ndarray:
    return (high_tr[..., -1] - low_tr[..., -1]) / np.roll(close_tr[..., -1], -1, axis=0)


def of_the_leak_gate() -> dict[str, list[str]]:
    """What it finds with the feature as it is, and as it would be if it looked at the next session."""
    from pipelines.store import build, leak, read
    from pipelines.store.recipe import USUAL
    from tests.test_pipelines.store_histories import connection, daily_bars, known_by

    bars = daily_bars(np.random.default_rng(1), names=3, sessions=40, restatements=0)
    at = sorted(bars["available_at"].to_pylist())[60]

    def found(features: tuple[Any, ...]) -> list[str]:
        tables = (build.rows_of(connection(rows), features) for rows in (bars, known_by(bars, at)))
        then, again = (read.newest(table, at) for table in tables)
        return sorted({one.feature for one in leak.compare(then, again, features, at)})

    features = USUAL.families()[VIEW]
    return {"honest": found(features),
            "peeking": found(tuple(replace(one, kernel=_peek) if one.ref == REF else one for one in features))}


def of_live(folder: Path) -> bool:
    """Whether the tail of a bundle that names it has research's bits."""
    from live.tail import Tail
    from models import bundle
    from tests.test_live import world as here

    here.FEATURES = (*here.FEATURES, NAME)
    fitted = here.STRATEGY.gbm
    here.STRATEGY = replace(here.STRATEGY, gbm=replace(fitted, context=(*fitted.context, NAME)))
    day = here.world().coming[0]
    now = dt.datetime.combine(day, dt.time(9), tzinfo=dt.UTC)
    tail = Tail(bundle.load(bundle.current(here.publish(folder)), [here.PUBLIC], 0, now))
    times = tail.times(day)
    row = tail.decision_panel(times, now).column(NAME)[-1]
    return bool(np.isfinite(row).all()) and row.tobytes() == here.world().panel().column(NAME)[here.PAST - 1].tobytes()


if __name__ == "__main__":
    json.dump({"catalogue": of_the_catalogue(), "feast": of_feast(), "dagster": of_dagster(),
               "leak": of_the_leak_gate(), "live": of_live(Path("bundles"))}, sys.stdout)
