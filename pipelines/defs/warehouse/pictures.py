"""Two small pictures for asset pages: what the bars did, and where dealers stand."""

import base64
import io
from collections.abc import Callable
from typing import Any

import numpy as np

MOST_LINES = 300  # more than these are one blot
_INK, _BLUE, _RED = "#333333", "#2f6f9f", "#b5453c"


def _markdown(figure: Any, title: str) -> str:
    """The figure as a PNG inside markdown: nothing is fetched from anywhere."""
    with io.BytesIO() as png:
        figure.savefig(png, format="png", dpi=90, metadata={"Software": None})
        encoded = base64.b64encode(png.getvalue()).decode()
    return f"![{title}](data:image/png;base64,{encoded})"


def _axes(title: str, rows: int = 1) -> tuple[Any, Any]:
    """A figure of its own, without pyplot's global state."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, 2.2 * rows + 0.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, 1, sharex=True, squeeze=False)[:, 0]
    axes[0].set_title(title, loc="left", fontsize=10, color=_INK)
    for one in axes:
        one.tick_params(labelsize=8)
        one.spines[["top", "right"]].set_visible(False)
    return figure, axes


def daily_bars(connection: Any) -> str:
    """Total-return wealth of every instrument since its first bar, and their median."""
    names = [name for (name,) in connection.sql("select distinct instrument_id from daily_bars order by 1").fetchall()]
    drawn = names[:: -(-len(names) // MOST_LINES)]
    bars = connection.execute(
        "select instrument_id, session, close * total_return_factor as value from daily_bars "
        "where instrument_id in (select unnest($drawn)) order by all", {"drawn": drawn}
    ).fetchnumpy()  # fmt: skip
    of = "each instrument" if drawn == names else f"{len(drawn)} of {len(names):,} instruments, each"
    figure, (axis,) = _axes(f"Growth of 1 with dividends, {of} since its first bar")
    ids, others = bars["instrument_id"], np.flatnonzero(bars["instrument_id"][1:] != bars["instrument_id"][:-1]) + 1
    for begin, end in zip([0, *others], [*others, len(ids)], strict=True):
        wealth = bars["value"][begin:end] / bars["value"][begin]
        axis.plot(bars["session"][begin:end], wealth, lw=0.7, color=_BLUE, alpha=0.6)
    axis.set_yscale("log", base=2)
    axis.yaxis.set_major_formatter("{x:g}")
    axis.yaxis.set_minor_formatter("")
    return _markdown(figure, "growth of 1 per instrument")


def option_metrics(connection: Any) -> str:
    """Gamma exposure by session, and the share of contracts that expired the same day."""
    found = connection.sql(
        "select session, gamma_exposure / 1e9 as exposure, share_0dte from option_metrics order by session"
    ).fetchnumpy()
    figure, (above, below) = _axes("Gamma exposure, billions per 1 % move", rows=2)
    exposure = found["exposure"].astype(float)
    above.bar(found["session"], exposure, color=[_BLUE if value >= 0 else _RED for value in exposure])
    above.axhline(0, color=_INK, lw=0.6)
    below.plot(found["session"], found["share_0dte"].astype(float) * 100, color=_BLUE)
    below.set_ylabel("0DTE, % of volume", fontsize=8)
    below.tick_params(axis="x", rotation=30)
    return _markdown(figure, "gamma exposure and 0DTE share")


OF: dict[str, Callable[[Any], str]] = {"daily_bars": daily_bars, "option_metrics": option_metrics}
