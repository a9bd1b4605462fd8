"""A small sandbox home lived through the nights of its late split and its corrected bar, with what each night saw."""

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.features.registry import families
from pipelines import digest, sandbox, settings
from pipelines.home import Home
from pipelines.store import build, feast_home, frame, research
from tests import OWN
from tests.truth.planting import NIGHTS, SMALL

SETTINGS = settings.load({"sandbox": SMALL}, environment=OWN)
RESEARCHED = ("ret_5", "volume_z_20", "mkt_vol_20", "iv30")


@dataclass
class Lived:
    home: Home
    moments: dict[int, dt.datetime]
    built: dict[int, dict[str, build.FamilyBuild]] = field(default_factory=dict)
    panels: dict[int, str] = field(default_factory=dict)
    frames: dict[int, tuple[str, str]] = field(default_factory=dict)  # through our command, through plain Feast


def labels(lived: Lived, until: dt.datetime) -> pa.Table:
    """Every name three times a day over the sessions before a moment."""
    names = sorted(set(pq.read_table(build.table_path(lived.home, "equity_v1"))["instrument_id"].to_pylist()))
    hours = np.arange(np.datetime64(until.replace(tzinfo=None), "us") - np.timedelta64(15, "D"),
                      np.datetime64(until.replace(tzinfo=None), "us"), np.timedelta64(8, "h"))  # fmt: skip
    return pa.table({
        "instrument_id": np.repeat(np.array(names, dtype=object), len(hours)),
        "event_timestamp": pa.array(np.tile(hours, len(names))).cast(pa.timestamp("us", tz="UTC")),
    })  # fmt: skip


def both_frames(lived: Lived, asked: pa.Table, as_of: dt.datetime) -> tuple[str, str]:
    """Digests of one label frame, through `nightdesk features get` and through plain Feast with our repository."""
    folder = lived.home.root.parent
    pq.write_table(asked, folder / "asked.parquet")
    research.features_get(lived.home, list(RESEARCHED), folder / "asked.parquet", as_of.isoformat(), folder / "got")
    ours = digest.table_digest(pq.read_table(folder / "got"), ["instrument_id", "event_timestamp"])
    return ours, _plain(lived, asked)


def _plain(lived: Lived, asked: pa.Table) -> str:
    import os

    from feast import FeatureStore

    os.environ[feast_home.VARIABLE] = str(lived.home.feast)
    frame = asked.to_pandas()
    frame["underlying"] = "SPX"
    refs = ["equity_v1:ret_5", "equity_v1:volume_z_20", "equity_v1:mkt_vol_20", "options_v1:iv30"]
    got = FeatureStore(repo_path=str(feast_home.REPOSITORY)).get_historical_features(frame, refs).to_arrow()
    return digest.table_digest(got, ["instrument_id", "event_timestamp"])


def live(folder: Path) -> Lived:
    from pipelines.lake import marts
    from pipelines.lake.ingest import ingest

    home = Home(folder / "home").prepare()
    lived = Lived(home, {night: sandbox.night_now(SETTINGS, night) for night in NIGHTS})
    for night, now in lived.moments.items():
        ingest(SETTINGS, home, now)
        marts.build(home, now=now)
        lived.built[night] = {view: build.build_family(home, view, some) for view, some in families().items()}
        lived.panels[night] = frame.panel_digest(frame.decision_panel(home, now=now))
        lived.frames[night] = both_frames(lived, labels(lived, lived.moments[NIGHTS[0]]), now)
    return lived
