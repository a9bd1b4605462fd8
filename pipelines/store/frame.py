"""The decision panel: what each decision could read, one row a (decision session, instrument), through Feast."""

import datetime as dt
import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from models.features.panel import FeaturePanel
from models.features.registry import DAILY, named
from pipelines import calendars, digest, durable
from pipelines.home import Home
from pipelines.store import build

DECIDE_BEFORE_OPEN = dt.timedelta(minutes=30)
KEPT_PANELS = 6

# The newest row of each (session, instrument) that its decision could see.
TRADABLE = """
select d.session, u.instrument_id, arg_max(u.tradable and not u.withdrawn, u.available_at) as tradable
from decisions d join universe_versions u on u.session = d.session and u.available_at <= d.moment
group by all order by all"""

# Of those, who could be sold short: an entry of the instrument counts before one of its ticker, and that before `*`; of
# entries that overlap, the one that began last.
SHORTABLE = """
with known as (
    select d.session, l.name, l.valid_from,
        arg_max({'said': l.borrowable, 'valid_to': l.valid_to, 'withdrawn': l.withdrawn}, l.available_at) as told
    from decisions d join borrow_list_versions l on l.available_at <= d.moment and l.valid_from <= d.session
    group by all
), held as (
    select session, name, arg_max(told.said, valid_from) as said
    from known where not told.withdrawn and (told.valid_to is null or session < told.valid_to)
    group by all
), named as (
    select d.session, u.instrument_id, arg_max(u.symbol, u.available_at) as symbol
    from decisions d join universe_versions u on u.session = d.session and u.available_at <= d.moment
    group by all
)
select u.session, u.instrument_id, coalesce(i.said, s.said, e.said, true) as shortable
from named u
left join held i on i.session = u.session and i.name = u.instrument_id
left join held s on s.session = u.session and s.name = u.symbol
left join held e on e.session = u.session and e.name = '*'
order by all"""


def _code() -> list[str]:
    return [Path(__file__).with_name(name).read_text() for name in ("frame.py", "offline.py", "feast_objects.py")]


def decision_time(session: dt.date) -> dt.datetime:
    """When the daily strategies decide for a session."""
    return calendars.open_at(session) - DECIDE_BEFORE_OPEN


def _axes(home: Home, horizon: dt.datetime, wanted: list[dt.date] | None) -> tuple[list[dt.date], list[str]]:
    """Decision sessions and names that could be known at the horizon."""
    table = pq.read_table(build.table_path(home, "equity_v1"), columns=["instrument_id", "session", "available_at"])
    table = table.filter(pc.less_equal(table["available_at"], pa.scalar(horizon, pa.timestamp("us", tz="UTC"))))
    if not table.num_rows:
        return [], []
    span = pc.min_max(table["session"]).as_py()
    decisions = calendars.sessions(span["min"] + dt.timedelta(days=1), calendars.next_sessions(span["max"], 1)[0])
    if wanted is not None:
        decisions = sorted(set(decisions) & set(wanted))
    return decisions, sorted(set(table["instrument_id"].to_pylist()))


def _told(con: Any, moments: pa.Table) -> tuple[pa.Table, pa.Table | None]:
    """Who was tradable, and who shortable: None where no list says anything."""
    con.register("decisions", moments)
    listed = con.sql("select 1 from borrow_list_versions limit 1").fetchall()
    return con.sql(TRADABLE).to_arrow_table(), con.sql(SHORTABLE).to_arrow_table() if listed else None


def _flags(rows: pa.Table, decisions: list[dt.date], names: list[str]) -> NDArray[np.bool_]:
    row, column = {day: n for n, day in enumerate(decisions)}, {name: n for n, name in enumerate(names)}
    flags = np.zeros((len(decisions), len(names)), dtype=bool)
    for day, name, flag in zip(*(rows[key].to_pylist() for key in rows.column_names), strict=True):
        if name in column:
            flags[row[day], column[name]] = bool(flag)
    return flags


def _ask_feast(home: Home, moments: pa.Table, names: list[str], features: tuple[str, ...]) -> NDArray[np.float64]:
    import pandas as pd

    from pipelines.store.feast_home import feast_store
    from pipelines.store.feast_objects import DAILY_SERVICE

    count = moments.num_rows
    instants = moments["moment"].cast(pa.int64()).to_numpy().astype("datetime64[us]")
    asked = pd.DataFrame(
        {
            "instrument_id": np.tile(np.array(names, dtype=object), count),
            "underlying": "SPX",
            "root": "ES",
            "event_timestamp": pd.DatetimeIndex(np.repeat(instants, len(names))).tz_localize("UTC"),
        }
    )
    store = feast_store(home)
    rows = store.get_historical_features(asked, store.get_feature_service(DAILY_SERVICE)).to_arrow()
    columns = [rows[name].to_numpy().astype(np.float64) for name in features]
    return np.stack(columns, axis=-1).reshape(count, len(names), len(features))


def decision_panel(
    home: Home, *, now: dt.datetime, as_of: dt.datetime | None = None, sessions: list[dt.date] | None = None
) -> FeaturePanel:
    """Values and tradability at each daily decision, of nothing that came to be known after `as_of` (default: now).

    Covers the coming session. The same question to the same tables is answered from a file, without waking Feast.
    """
    from pipelines.lake import marts

    horizon = min(as_of or now, now)
    decisions, names = _axes(home, horizon, sessions)
    features = tuple(feature.name for feature in named(DAILY))
    axis = np.array(decisions, dtype="datetime64[D]")
    if not decisions:
        return FeaturePanel(axis, (), features, np.zeros((0, 0, len(features))), np.zeros((0, 0), dtype=bool))
    moments = pa.table({
        "session": pa.array(decisions, pa.date32()),
        "moment": pa.array([min(decision_time(day), horizon) for day in decisions], pa.timestamp("us", tz="UTC")),
    })  # fmt: skip
    with marts.connect(home) as con:
        universe, lent = _told(con, moments)
    told = [build.published_digests(home), digest.table_digest(moments, ["session"]), names, features,
            digest.table_digest(universe, ["session", "instrument_id"]), *_code()]  # fmt: skip
    shortable = None if lent is None else _flags(lent, decisions, names)
    kept = home.work / "panels" / f"{digest.json_digest(told)[:32]}.npz"
    if kept.exists():
        with np.load(kept, allow_pickle=False) as arrays:
            return FeaturePanel(axis, tuple(names), features, arrays["values"], arrays["tradable"], shortable)
    values = _ask_feast(home, moments, names, features)
    tradable = _flags(universe, decisions, names)
    panel = FeaturePanel(axis, tuple(names), features, values, tradable, shortable)
    out = io.BytesIO()
    np.savez(out, values=panel.values, tradable=panel.tradable)
    durable.write_atomic(kept, out.getvalue())
    for old in sorted(kept.parent.glob("*.npz"), key=lambda path: path.stat().st_mtime_ns)[:-KEPT_PANELS]:
        old.unlink()
    return panel


def panel_table(panel: FeaturePanel) -> pa.Table:
    """The panel as rows, missing values as nulls."""
    count, width = panel.tradable.shape
    columns = {
        "session": pa.array(np.repeat(panel.sessions, width), pa.date32()),
        "instrument_id": pa.array(list(panel.names) * count, pa.string()),
        "tradable": pa.array(panel.tradable.ravel()),
        **({} if panel.shortable is None else {"shortable": pa.array(panel.shortable.ravel())}),
    }
    for n, name in enumerate(panel.features):
        columns[name] = pa.array(np.ascontiguousarray(panel.values[:, :, n]).ravel(), from_pandas=True)
    return pa.table(columns)


def panel_digest(panel: FeaturePanel) -> str:
    """Digest of the training frame: equal whether or not the lake has learnt more since."""
    return digest.table_digest(panel_table(panel), ["session", "instrument_id"])
