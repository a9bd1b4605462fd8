"""`FeatureStore`: one asset's features under a familiar name and signature, of what was known at a moment."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from models.features.feature import Feature
from models.features.registry import grouped, named
from pipelines import moments
from pipelines.home import Home
from pipelines.store import read
from pipelines.store.research import MARKET_KEYS, column_names

if TYPE_CHECKING:
    import pandas as pd


class FeatureStore:
    """The tables of one home."""

    def __init__(self, home: Home | Path | str) -> None:
        self.home = home if isinstance(home, Home) else Home(Path(home).expanduser().absolute())

    def compute(self, asset: str, features: Sequence[str], as_of: dt.datetime | str) -> "pd.DataFrame":
        """Every session's values of these features, one row a session, as they stood at `as_of` and no later.

        `asset` is a ticker, a permanent id, or the underlying or root that a feature is of; a feature of the whole
        market comes with any instrument. A bare date is the end of that day in New York.
        """
        import pandas as pd

        moment = moments.parse(as_of) if isinstance(as_of, str) else as_of.astimezone(dt.UTC)
        wanted = named(tuple(features))
        parts = [self._view(asset, view, some, moment) for view, some in grouped(wanted).items()]
        if len({part.index.dtype for part in parts}) > 1:
            raise ValueError("features of sessions and of minutes do not stand in one table: ask for them apart")
        joined = pd.concat(parts, axis=1).sort_index()
        joined = joined[[feature.ref for feature in wanted]]
        joined.columns = pd.Index(column_names(wanted))
        return joined

    def _view(self, asset: str, view: str, features: tuple[Feature, ...], moment: dt.datetime) -> "pd.DataFrame":
        rows = read.rows_as_of(self.home, view, moment)
        key = rows.column_names[0]
        owner = self._instrument(asset, moment) if features[0].entity == "instrument" else MARKET_KEYS.get(key, asset)
        if features[0].entity != "instrument" and asset in set(rows[key].to_pylist()):
            owner = asset
        names = [feature.name for feature in features]
        frame = rows.select([key, "session", *names]).to_pandas()
        frame = frame[frame[key] == owner].drop(columns=key).set_index("session")
        frame.columns = [feature.ref for feature in features]
        return frame

    def _instrument(self, asset: str, moment: dt.datetime) -> str:
        """The permanent id; a ticker is whose it was at that moment."""
        from pipelines.lake import marts
        from pipelines.lake.history import TickerMapper

        with marts.connect(self.home, as_of=moment) as con:
            if con.execute("select count(*) from instruments where instrument_id = $1", [asset]).fetchall()[0][0]:
                return asset
        return TickerMapper(self.home, as_of=moment).owner(asset, moment)
