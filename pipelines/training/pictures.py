"""Small plots of the fits for an asset's metadata: PNG inside markdown, so that the graph shows them by itself."""

import base64
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_LEVEL = 8  # dates side by side; more of them would run into each other


def _figure() -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, 2.8), layout="constrained")
    return figure, figure.subplots()


def _markdown(figure: Any, title: str) -> str:
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=100, metadata={"Software": None})
    return f"![{title}](data:image/png;base64,{base64.b64encode(out.getvalue()).decode()})"


def skill_by_fold(told: dict[str, Any], title: str) -> str:
    """Out-of-sample rank correlation of each fold."""
    figure, axes = _figure()
    folds = [fold for fold in told["folds"] if "rank_ic" in fold["metrics"]]
    axes.bar(range(len(folds)), [fold["metrics"]["rank_ic"] for fold in folds], color="#4878a8")
    axes.axhline(0.0, color="0.4", linewidth=0.8)
    axes.set_xticks(range(len(folds)), [fold["first_session"] for fold in folds], fontsize=7)
    if len(folds) > MOST_LEVEL:
        axes.tick_params("x", labelrotation=45)
    axes.set_ylabel("rank correlation")
    axes.set_title(f"{title}: out of sample, by fold", fontsize=9)
    return _markdown(figure, "skill")


def importances(told: dict[str, Any]) -> str:
    """What the trees lean on, by four measures; each panel orders the features by its own."""
    from matplotlib.figure import Figure

    asked = told.get("explained") or {}
    panels = (("gain, final fit", told["importances"], "#6a9a58"),
              ("rank correlation lost when dealt anew", asked.get("permutation", {}), "#4878a8"),
              ("mean size of SHAP value", asked.get("shap", {}), "#a8784a"),
              ("gain in a random forest", asked.get("forest", {}), "#80699b"))
    figure = Figure(figsize=(9.0, 5.2), layout="constrained")
    for axes, (title, values, colour) in zip(figure.subplots(2, 2).flat, panels, strict=True):
        ordered = sorted(values.items(), key=lambda item: item[1])[-10:]
        axes.barh([name for name, _ in ordered], [value for _, value in ordered], color=colour)
        axes.tick_params(labelsize=7)
        axes.set_title(title, fontsize=9)
    return _markdown(figure, "importances")


def losses(told: dict[str, Any]) -> str:
    """Training loss by step, one line a fold: of epochs, of rounds, or minus the log likelihood of a session."""
    from matplotlib import colormaps

    figure, axes = _figure()
    shades = colormaps["viridis"](np.linspace(0.0, 0.9, max(1, len(told["folds"]))))  # the older the darker
    for fold, shade in zip(told["folds"], shades, strict=False):
        label, colour = ("final", "black") if fold["final"] else (f"from {fold['first_session']}", shade)
        axes.plot(range(1, len(fold["curve"]) + 1), fold["curve"], linewidth=1.0, label=label, color=colour)
    axes.set_xlabel("step")
    axes.set_ylabel("training loss")
    figure.legend(fontsize=6, frameon=False, loc="outside center right")
    return _markdown(figure, "loss")


def calibration(told: dict[str, Any]) -> str:
    """What was said against what came, by tenths of what was said."""
    figure, axes = _figure()
    said, came = ([one[key] for one in told["calibration"]] for key in ("said", "came"))
    most = max((*said, *came, 1e-6))
    axes.plot([0.0, most], [0.0, most], color="0.6", linewidth=0.8)
    axes.plot(said, came, "o-", color="#4878a8", markersize=4, linewidth=1.0)
    axes.set_xlabel("probability said")
    axes.set_ylabel("share that came")
    axes.set_title("Target_5m: out of sample, by tenths", fontsize=9)
    return _markdown(figure, "calibration")


def regimes(sessions: NDArray[np.datetime64], posterior: NDArray[np.float64], states: tuple[str, ...]) -> str:
    """Filtered posterior over time, stacked."""
    figure, axes = _figure()
    colours = ["#5a9e6f", "#b8544f", "#d9a441", "#6f8fb8"]
    axes.stackplot(np.arange(len(sessions)), posterior.T, labels=states, colors=colours)
    places = np.arange(0, len(sessions), max(1, len(sessions) // 6))
    axes.set_xticks(places, [str(sessions[place]) for place in places], fontsize=7)
    axes.set_ylim(0.0, 1.0)
    figure.legend(fontsize=7, ncols=4, frameon=False, loc="outside lower center")
    axes.set_title("believed at each decision", fontsize=9)
    return _markdown(figure, "regimes")
