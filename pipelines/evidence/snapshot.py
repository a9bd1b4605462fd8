"""From the home to the bundle: the bars, decision rows and slow features that live must know before it decides."""

import datetime as dt
import math

import numpy as np

from models.features.feature import Feature
from models.features.inputs import FITTED, OF_BARS, RAW
from models.features.panel import BarPanel, FeaturePanel
from models.features.registry import named
from models.market import liquidity
from models.snapshot import SlowFeature, Snapshot
from models.strategy import StrategyConfig
from pipelines.home import Home

FAST_CELLS = "equity"  # the panel of inputs that live sees for itself
MARGIN_SESSIONS = 5


def build_snapshot(home: Home, now: dt.datetime, panel: FeaturePanel, strategy: StrategyConfig) -> Snapshot:
    """`panel` is the night's decision panel, the coming session's row being its last."""
    from pipelines.store.inputs import of_home
    from pipelines.store.read import bar_panel, panel_of

    features = named(strategy.features)
    own = tuple(one for one in features if one.cells in OF_BARS)
    tail = max(*(one.look_back for one in (*own, *named(("atr_14",)))), liquidity.LOOK_BACK + 1) + MARGIN_SESSIONS
    bars = bar_panel(home, now).tail(tail)
    place = [bars.names.index(name) for name in panel.names]
    grids = {name: np.ascontiguousarray(bars.columns[name][:, place]) for name in RAW[FAST_CELLS]}
    if any(one.cells == "garch" for one in own):
        fitted = panel_of(of_home(home, "garch"), now)
        rows, there = np.searchsorted(fitted.sessions, bars.sessions), [fitted.names.index(one) for one in panel.names]
        grids |= {name: np.ascontiguousarray(fitted.columns[name][rows][:, there]) for name in FITTED}
    coming = np.full((1, len(panel.names)), np.nan)
    adv, vol = liquidity.known_before(*(np.vstack([grids[name], coming])
                                        for name in ("close", "volume", "total_return_factor")))
    slow = [_slow(home, one, now) for one in features if one.cells not in OF_BARS]
    return Snapshot(BarPanel(bars.sessions, panel.names, grids),
                    panel.select(strategy.features).tail(min(strategy.history + 1, len(panel.sessions))),
                    _symbols(home, now, panel.names), tuple(one for one in slow if one is not None),
                    np.ascontiguousarray(adv[-1]), np.ascontiguousarray(vol[-1]))


def _symbols(home: Home, now: dt.datetime, names: tuple[str, ...]) -> tuple[str, ...]:
    """Each name's ticker on the newest session of the universe that knows it."""
    from pipelines.lake import marts

    with marts.connect(home, as_of=now) as connection:
        newest = dict(connection.execute(
            "SELECT instrument_id, arg_max(symbol, session) FROM universe GROUP BY ALL").fetchall())
    return tuple(newest.get(name, "") for name in names)


def _slow(home: Home, feature: Feature, now: dt.datetime) -> SlowFeature | None:
    """The newest row of a feature made of other vendors' data; None where there never was one."""
    from pipelines.store.read import rows_as_of

    known = rows_as_of(home, feature.view, now)
    if not known.num_rows:
        return None
    last = known.sort_by([("event_time", "descending")]).slice(0, 1).to_pylist()[0]
    value = last[feature.name]
    return SlowFeature(feature.name, str(last[known.column_names[0]]), math.nan if value is None else float(value),
                       last["event_time"].astimezone(dt.UTC), last["available_at"].astimezone(dt.UTC),
                       feature.staleness)
