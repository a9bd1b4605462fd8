"""The rules' curves as one picture for the asset's metadata, beside who was judged tonight and buy-and-hold."""

from collections.abc import Mapping
from typing import Any

from pipelines.training.pictures import _figure, _markdown

MOST_NAMED = 5


def beside(judged: Mapping[str, Any], verdict: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The learned strategy that tonight's verdict was about; None where none was reached."""
    return next((one for one in judged.get("strategies") or [] if one["key"] == verdict.get("key")), None)


def picture(section: Mapping[str, Any], judged: Mapping[str, Any], verdict: Mapping[str, Any]) -> str:
    """Markdown with a PNG: the best rules by name, the others thin and grey."""
    figure, axes = _figure()
    at = range(len(section["sessions"]))
    ordered = sorted((one for one in section["strategies"] if one["sharpe_net"] is not None),
                     key=lambda one: -one["sharpe_net"])
    for one in ordered[MOST_NAMED:]:
        axes.plot(at, one["equity"], color="0.8", linewidth=0.6)
    for one in ordered[:MOST_NAMED]:
        axes.plot(at, one["equity"], linewidth=0.9, label=f"{one['name']} ({one['sharpe_net']:.1f})")
    axes.plot(at, section["benchmark"], color="0.4", linestyle="--", linewidth=1.0, label="buy and hold")
    champion = beside(judged, verdict)
    if champion is not None and len(champion["equity"]) == len(at):
        axes.plot(at, champion["equity"], color="k", linewidth=1.6,
                  label=f"{champion['name']} ({champion['sharpe_net']:.1f})")
    places = list(range(0, len(at), max(1, len(at) // 6)))
    axes.set_xticks(places, [section["sessions"][place] for place in places], fontsize=7)
    axes.set_title("growth of 1, net of costs (net Sharpe)", fontsize=9)
    axes.legend(fontsize=6, ncols=2, frameon=False)
    return _markdown(figure, "rules")
