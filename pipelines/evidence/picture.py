"""The judged curves as one picture in an asset's metadata, for whoever looks at the graph and not at the report."""

import base64
import io
from collections.abc import Mapping
from typing import Any


def equity_curves(section: Mapping[str, Any]) -> str:
    """Markdown with a PNG: cumulative net return of every candidate, baselines thin, buy-and-hold grey and dashed."""
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 3.6), layout="constrained")
    axes = figure.subplots()
    at = range(len(section["sessions"]))
    hues = list(colormaps["tab10"].colors)
    axes.set_prop_cycle(color=hues[:7] + hues[8:])  # the eighth is a grey too
    axes.plot(at, section["benchmark"], color="0.4", linestyle="--", linewidth=1.0, label="buy and hold")
    for one in section["strategies"]:
        thick = 1.6 if one["kind"] == "candidate" else 0.8
        axes.plot(at, one["equity"], linewidth=thick, label=f"{one['name']} ({one['sharpe_net']:.1f})")
    places = list(range(0, len(section["sessions"]), max(1, len(section["sessions"]) // 6)))
    axes.set_xticks(places, [section["sessions"][place] for place in places], fontsize=7)
    axes.set_ylabel("growth of 1, net of costs")
    axes.legend(fontsize=6, ncols=2, frameon=False, title="strategy (net Sharpe)", title_fontsize=6)
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=100, metadata={"Software": None})
    return f"![equity](data:image/png;base64,{base64.b64encode(out.getvalue()).decode()})"
