"""What the report and the UI say about a family's table: rows, rebuilt sessions, where the values lie."""

import base64
import datetime as dt
import io
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from models.features import missing
from models.features.feature import Feature
from models.features.missing import Missing
from pipelines.home import Home
from pipelines.store import inputs, read, steadiness
from pipelines.store.build import FamilyBuild

BINS = 24
MOST_DRAWN = 32
ROUNDING = 1e-9  # of the width of what a formula can give


def describe(column: NDArray[np.float64]) -> dict[str, Any]:
    """Share of nulls, moments, quantiles and the shape between the 1 % and 99 % quantiles."""
    finite = column[np.isfinite(column)]
    null_share = 1.0 - len(finite) / len(column) if len(column) else 1.0
    if not len(finite):
        return {"null_share": null_share, "mean": None, "std": None, "p01": None, "p99": None}
    low, high = (float(edge) for edge in np.quantile(finite, [0.01, 0.99]))
    counts, _ = np.histogram(finite, bins=BINS, range=(low, high) if high > low else (low - 0.5, low + 0.5))
    return {
        "null_share": null_share, "mean": float(finite.mean()), "std": float(finite.std()), "p01": low, "p99": high,
        "min": float(finite.min()), "max": float(finite.max()), "histogram": {"counts": counts.tolist()},
    }


def _columns(table: pa.Table, features: tuple[Feature, ...]) -> dict[str, NDArray[np.float64]]:
    return {feature.name: table[feature.name].to_numpy().astype(np.float64) for feature in features}


def tell(home: Home, built: FamilyBuild, features: tuple[Feature, ...], now: dt.datetime) -> dict[str, Any]:
    """Write this family's part of the section `features`; an unchanged table keeps its figures."""
    section = home.read_section("features")
    families = section.get("families", {})
    held = families.get(built.view, {})
    same = held.get("digest") == built.digest and set(held.get("features", {})) == {item.name for item in features}
    if same and "newest_event" in held:
        told, newest = held["features"], held["newest_event"]
    else:
        rows = read.newest(pq.read_table(built.path), now)
        moved, newest = steadiness.shifts(rows, features), steadiness.newest_event(rows)
        told = {name: {**describe(column), **moved.get(name, {})} for name, column in _columns(rows, features).items()}
    part = {
        "rows": built.rows, "rebuilt": built.rebuilt, "unchanged": built.unchanged, "digest": built.digest,
        "first_rebuilt": built.first_rebuilt, "last_rebuilt": built.last_rebuilt, "features": told,
        "newest_event": newest,
    }
    home.write_section("features", {**section, "families": {**families, built.view: part}})
    return part


def out_of_bounds(told: dict[str, dict[str, Any]], features: tuple[Feature, ...]) -> list[str]:
    """Features with a value that their formula cannot give."""
    wrong = []
    for feature in features:
        low, high = told[feature.name].get("min"), told[feature.name].get("max")
        if feature.bounds is None or low is None:
            continue
        last_bits = ROUNDING * (feature.bounds[1] - feature.bounds[0])  # a share of 100 comes out as 100.00000000000001
        if low < feature.bounds[0] - last_bits or high > feature.bounds[1] + last_bits:
            wrong.append(f"{feature.name}: {low:g} to {high:g}, allowed {feature.bounds[0]:g} to {feature.bounds[1]:g}")
    return wrong


def mostly_missing(
    home: Home, view: str, features: tuple[Feature, ...], now: dt.datetime, most: float
) -> tuple[list[str], bool]:
    """Features of which the newest session has more nulls than `most`, with why, and whether one of them worries. Read
    once of the same table."""
    from pipelines import kept
    from pipelines.digest import json_digest
    from pipelines.store import build

    asked = json_digest([build.published_digests(home)[view], now.isoformat(), most, kept.code()])
    told = kept.answer(home, f"missing-{view}", asked)
    if told is None:
        shares = newest_null_shares(home, view, features, now)
        mostly = [name for name, share in shares.items() if share > most]
        reasons = why_missing(home, view, features, mostly, now) if mostly else {}
        told = [[f"{name}: {shares[name]:.0%} ({reason.words})" for name, reason in reasons.items()],
                any(reason.worrying for reason in reasons.values())]
        kept.keep(home, f"missing-{view}", asked, told)
    return told[0], told[1]


def newest_null_shares(home: Home, view: str, features: tuple[Feature, ...], now: dt.datetime) -> dict[str, float]:
    """Share of nulls of each feature in the newest session that has any row."""
    rows = read.rows_as_of(home, view, now)
    if not rows.num_rows:
        return {}
    days = rows["session"].to_numpy()
    last = {name: column[days == days.max()] for name, column in _columns(rows, features).items()}
    return {name: float(np.mean(~np.isfinite(column))) for name, column in last.items()}


def why_missing(
    home: Home, view: str, features: tuple[Feature, ...], names: list[str], now: dt.datetime
) -> dict[str, Missing]:
    """Of features that are missing in the newest session, why they are for most that lack them."""
    rows = read.rows_as_of(home, view, now)
    bars = read.panel_of(inputs.of_home(home, features[0].cells), now)
    days = rows["session"].to_numpy()
    # Of the bar that the newest rows are of: the grid of a panel of minutes goes on to the end of the session.
    bars = bars.upto(int(np.searchsorted(bars.sessions, days.max(), side="right")))
    owners = np.array(rows.column(0).to_pylist(), dtype=object)[days == days.max()]
    told = {}
    for feature in features:
        if feature.name in names:
            known = np.isfinite(rows[feature.name].to_numpy().astype(np.float64))
            if not known.any():  # so nothing stopped coming
                told[feature.name] = Missing("formula", "no row that is held has a value of it")
                continue
            lacking = owners[~known[days == days.max()]]
            reasons = Counter(missing.why_missing(bars, feature, bars.names.index(owner)) for owner in lacking)
            told[feature.name] = max(reasons, key=lambda reason: (reasons[reason], not reason.worrying))
    return told


def picture(told: dict[str, dict[str, Any]]) -> str:
    """Small histograms of a family's first features, as Markdown with the image inside: one drawing, not a plot each,
    which would take longer than computing the family."""
    from matplotlib.collections import PolyCollection
    from matplotlib.figure import Figure

    drawable = {name: item for name, item in told.items() if item.get("histogram")}
    shown = list(drawable.items())[:MOST_DRAWN]
    if not shown:
        return "No values yet."
    across = min(4, len(shown))
    down = -(-len(shown) // across)
    figure = Figure(figsize=(2.1 * across, 1.1 * down), dpi=90)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set(xlim=(0, across), ylim=(down, 0))
    bars = []
    for n, (name, item) in enumerate(shown):
        left, top = n % across + 0.06, n // across
        counts = np.array(item["histogram"]["counts"], dtype=np.float64)
        width, tall = 0.88 / len(counts), 0.55 * counts / max(counts.max(), 1.0)
        for at, height in enumerate(tall):
            x, floor = left + at * width, top + 0.82
            bars.append([(x, floor), (x + width, floor), (x + width, floor - height), (x, floor - height)])
        axes.text(left + 0.44, top + 0.2, name, fontsize=8, ha="center")
        axes.text(left, top + 0.95, f"{item['p01']:.3g}", fontsize=6, ha="left")
        axes.text(left + 0.88, top + 0.95, f"{item['p99']:.3g}", fontsize=6, ha="right")
    axes.add_collection(PolyCollection(bars, facecolors="#3b6ea5", linewidths=0), autolim=False)
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    more = len(drawable) - len(shown)
    rest = f"\n\nAnd {more} more: `nightdesk features list --html` draws them all." if more else ""
    return f"![distributions](data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}){rest}"
