"""What live must know before its first decision: the tail of the bars, the last decision rows, the slow features."""

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models import tensors
from models.features.panel import BarPanel, FeaturePanel

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SlowFeature:
    """One value of a feature that live cannot compute, with the times that say how long it may be used."""

    name: str
    entity: str  # 'SPX', 'ES'
    value: float
    event_time: dt.datetime
    available_at: dt.datetime
    stale_after: dt.timedelta  # counted from event_time


@dataclass(frozen=True)
class Snapshot:
    """As known at the bundle's making. `panel` holds the last decision rows as judged; rows of sessions that live
    itself decides are replaced by live's own. `adv20_usd` and `vol20_daily` are those of the coming session."""

    bars: BarPanel
    panel: FeaturePanel
    symbols: tuple[str, ...]  # tickers of `bars.names` on the coming session
    slow: tuple[SlowFeature, ...]
    adv20_usd: FloatArray
    vol20_daily: FloatArray

    def to_files(self) -> dict[str, bytes]:
        arrays: dict[str, npt.NDArray[Any]] = {f"bars.{name}": values for name, values in self.bars.columns.items()}
        arrays["panel.values"] = self.panel.values
        arrays["panel.tradable"] = self.panel.tradable.astype(np.uint8)
        if self.panel.shortable is not None:
            arrays["panel.shortable"] = self.panel.shortable.astype(np.uint8)
        arrays["adv20_usd"] = self.adv20_usd
        arrays["vol20_daily"] = self.vol20_daily
        says = {
            "bar_sessions": [str(day) for day in self.bars.sessions],
            "bar_columns": sorted(self.bars.columns),
            "panel_sessions": [str(day) for day in self.panel.sessions],
            "names": list(self.bars.names),
            "symbols": list(self.symbols),
            "features": list(self.panel.features),
            "slow": [
                {"name": one.name, "entity": one.entity, "value": one.value if np.isfinite(one.value) else None,
                 "event_time": one.event_time.isoformat(), "available_at": one.available_at.isoformat(),
                 "stale_after_seconds": one.stale_after.total_seconds()}
                for one in self.slow
            ],
        }
        text = json.dumps(says, sort_keys=True, separators=(",", ":"))
        return {"snapshot.safetensors": tensors.write(arrays), "snapshot.json": text.encode()}

    @classmethod
    def from_files(cls, arrays_bytes: bytes, json_bytes: bytes) -> "Snapshot":
        """Shapes are checked against what the JSON names; anything that does not fit is a ValueError."""
        says = json.loads(json_bytes)
        arrays = tensors.read(arrays_bytes)
        names, features = tuple(says["names"]), tuple(says["features"])
        bar_sessions = np.array(says["bar_sessions"], "datetime64[D]")
        panel_sessions = np.array(says["panel_sessions"], "datetime64[D]")
        expected: dict[str, tuple[int, ...]] = {
            **{f"bars.{column}": (len(bar_sessions), len(names)) for column in says["bar_columns"]},
            "panel.values": (len(panel_sessions), len(names), len(features)),
            "panel.tradable": (len(panel_sessions), len(names)),
            "adv20_usd": (len(names),),
            "vol20_daily": (len(names),),
        }
        if "panel.shortable" in arrays:  # where a list says what can be borrowed
            expected["panel.shortable"] = expected["panel.tradable"]
        found = {name: array.shape for name, array in arrays.items()}
        if found != expected or len(says["symbols"]) != len(names):
            raise ValueError(f"the snapshot's arrays {sorted(found.items())} are not the ones its JSON names")
        columns = {name: arrays[f"bars.{name}"] for name in says["bar_columns"]}
        slow = tuple(
            SlowFeature(one["name"], one["entity"], float("nan") if one["value"] is None else float(one["value"]),
                        dt.datetime.fromisoformat(one["event_time"]), dt.datetime.fromisoformat(one["available_at"]),
                        dt.timedelta(seconds=one["stale_after_seconds"]))
            for one in says["slow"]
        )
        panel = FeaturePanel(panel_sessions, names, features, arrays["panel.values"],
                             arrays["panel.tradable"].astype(np.bool_),
                             arrays["panel.shortable"].astype(np.bool_) if "panel.shortable" in arrays else None)
        return cls(BarPanel(bar_sessions, names, columns), panel, tuple(says["symbols"]), slow,
                   arrays["adv20_usd"], arrays["vol20_daily"])
