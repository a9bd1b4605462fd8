"""A calibration as one small picture, and as lines of text."""

import io
from typing import Any


def draw(result: dict[str, Any]) -> bytes:
    """SVG: false promotions by family against what is allowed; power against the deflated Sharpe alone."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"svg.hashsalt": "nightdesk", "svg.fonttype": "none", "font.size": 8}):
        figure = Figure(figsize=(9.0, 3.4), layout="constrained")
        left, right = figure.subplots(1, 2)
        families = list(dict.fromkeys(one["family"] for one in result["night"]))
        for correlation, colour in ((0.0, "#9ecae1"), (0.5, "#4292c6"), (0.9, "#08519c")):
            rows = [one for one in result["night"] if one["correlation"] == correlation]
            share = [100.0 * one["promoted"] / one["markets"] for one in rows]
            reach = [100.0 * one["bound"] - value for one, value in zip(rows, share, strict=True)]
            place = [families.index(one["family"]) + (correlation - 0.45) / 4 for one in rows]
            left.errorbar(share, place, xerr=[[0.0] * len(rows), reach], fmt="o", markersize=3.5, linewidth=1,
                          color=colour, label=f"correlation {correlation:g}")
        left.axvline(1.0, color="0.4", linestyle=":", linewidth=1)
        left.set_yticks(range(len(families)), [name.replace("_", " ") for name in families])
        left.set_xlabel("% of null markets promoted (bar: to the 95 % bound)")
        left.set_xlim(left=-0.05)
        left.set_ylim(-0.6, len(families) + 1.2)  # room for the legend
        left.legend(frameon=False, fontsize=7)
        for skilled, colour in (("one", "#d94801"), ("all", "#238b45")):
            rows = [one for one in result["power"] if one["skilled"] == skilled and one["correlation"] == 0.5]
            at = [one["sharpe"] for one in rows]
            right.plot(at, [one["promoted"] / one["markets"] for one in rows], color=colour, marker="o", markersize=3,
                       label=f"gate, {skilled} of {result['candidates']} skilled")
            right.plot(at, [one["dsr_alone"] / one["markets"] for one in rows], color=colour, linestyle="none",
                       marker="o", markersize=8, fillstyle="none", label="deflated Sharpe alone")
        right.set_xlabel(f"true annual Sharpe, {result['sessions']} sessions, correlation 0.5")
        right.set_ylabel("promoted")
        right.set_ylim(-0.02, 1.02)
        right.legend(frameon=False, fontsize=7)
        out = io.BytesIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return out.getvalue()


def lines(result: dict[str, Any]) -> list[str]:
    """The table of a terminal and of the documentation."""
    told = [f"Gate preset '{result['policy']['name']}' ({result['policy_digest'][:12]}), seed {result['seed']}: "
            f"best of {result['candidates']} candidates on {result['sessions']} sessions", "",
            "| null family | correlation | promoted | of | 95 % bound | DSR alone | PSR alone | seeds' thresholds |",
            "|---|---|---|---|---|---|---|---|"]
    told += [f"| {one['family']} | {one['correlation']:g} | {one['promoted']} | {one['markets']} | {one['bound']:.2%} "
             f"| {one['dsr_alone']} | {one['psr_alone']} | {one['seeds']} |" for one in result["night"]]
    told += ["", f"| years of {result['nights']} nights on | with a promotion | of | 95 % bound | DSR alone |",
             "|---|---|---|---|---|"]
    told += [f"| {one['family']} | {one['promoted']} | {one['years']} | {one['bound']:.1%} | {one['dsr_alone']} |"
             for one in result["year"]]
    told += ["", "| skilled | correlation | true Sharpe | gate | DSR alone | seeds' thresholds | of |",
             "|---|---|---|---|---|---|---|"]
    told += [f"| {one['skilled']} | {one['correlation']:g} | {one['sharpe']:g} | {one['promoted']} "
             f"| {one['dsr_alone']} | {one['seeds']} | {one['markets']} |" for one in result["power"]]
    told += ["", *(f"A true Sharpe of {one['sharpe']:g} passes the seeds' month on paper in "
                   f"{one['passed'] / one['months']:.0%} of {one['months']:,} months." for one in result["paper"])]
    for name, target in result["targets"].items():
        found = (f"worst {target['worst']} of {target['of']} ({target['where']})" if "worst" in target
                 else f"least share of DSR alone {target['least_of_dsr']}")
        verdict = {True: "reached", False: "NOT reached", None: "too few to say"}[target["reached"]]
        told.append(f"Target {name}: {found}: {verdict}.")
    return told
