"""The catalogue of features as a page: what each one is, when it is known, and the shape of its values."""

from itertools import groupby
from pathlib import Path
from typing import Any

from pipelines.report import words
from pipelines.report.charts import histogram
from pipelines.report.html import Html, caption, paragraph, raw, tag
from pipelines.report.parts.part import facts, table

STYLE = Path(__file__).with_name("page.css")
OWN_STYLE = (".catalogue td:first-child{white-space:normal;min-width:17rem} .catalogue td small{display:block}"
             ".inputs :is(td,th):last-child{max-width:13rem;text-align:left;white-space:normal}"
             "nav p{max-width:none} nav a{margin-right:.2rem}"
             ".catalogue :target{background:var(--faint);outline:.3rem solid var(--faint)}")  # fmt: skip


def _figures(told: dict[str, Any]) -> list[Any]:
    lies = told.get("distribution")
    if not lies:
        return [None] * 4
    counts = (lies.get("histogram") or {}).get("counts") or []
    shape = histogram(counts, label=f"Shape of {told['name']}") if counts else None
    return [shape, words.percent(lies["null_share"]), words.figure(lies["p01"]), words.figure(lies["p99"])]


def _age(days: float) -> str:
    return words.plural(days, "day") if days >= 1 else words.plural(days * 24 * 60, "minute")


def _inputs(told: dict[str, Any]) -> list[Html]:
    return [tag("span", tag("code", column), " ") for column in told["inputs"]]


def _row(told: dict[str, Any], *, measured: bool, alike: bool) -> list[Any]:
    bounds = f" Between {told['bounds'][0]:g} and {told['bounds'][1]:g}." if told["bounds"] else ""
    used = tag("small", "In " + ", ".join(told["services"])) if told["services"] else None
    name = [tag("code", told["name"], id=told["ref"]), tag("small", told["formula"], bounds), used]
    return [name, *(_figures(told) if measured else []), told["look_back"], *([] if alike else [_inputs(told)])]


def _view(view: str, told: list[dict[str, Any]]) -> Html:
    first = told[0]
    measured = any(one.get("distribution") for one in told)
    alike = len(told) > 1 and all(one["inputs"] == first["inputs"] for one in told)
    figures = ["shape", "missing", "1 %", "99 %"] if measured else []
    headers = ["Feature", *figures, "look-back", *([] if alike else ["inputs"])]
    common = facts([
        ("One row", f"a {first['bar']} and {first['entity']}, in the view {view}"),
        *([("Inputs", _inputs(first))] if alike else []),
        ("From", ", ".join(first["marts"])),
        ("Known from", first["availability"]),
        ("Stale after", _age(max(one["staleness_days"] for one in told))),
        ("Owner", first["owner"]),
    ])  # fmt: skip
    rows = [_row(one, measured=measured, alike=alike) for one in told]
    kind = "catalogue" if alike else "catalogue inputs"
    return tag("section", tag("h2", view), common, table(headers, rows, class_=kind), id=view)


def compose(told: list[dict[str, Any]]) -> str:
    """The whole page as text: no other file, no script, no network."""
    views = {view: list(some) for view, some in groupby(sorted(told, key=lambda one: one["view"]),
                                                        key=lambda one: one["view"])}  # fmt: skip
    links = [[tag("a", view, href=f"#{view}"), f" ({len(some)})  "] for view, some in views.items()]
    head = tag(
        "head", tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"), tag("title", "Nightdesk: features"),
        tag("style", raw(STYLE.read_text() + OWN_STYLE)),
    )  # fmt: skip
    header = tag(
        "header", paragraph("Nightdesk, from the registry in models/features", class_="kicker"),
        tag("h1", f"{words.count(len(told))} features in {words.count(len(views))} views"),
        paragraph("A look-back counts bars, its own included. Each value is a function of these and of nothing later, "
                  "the same in research, training and live.", class_="lede"),
    )  # fmt: skip
    measured = any(one.get("distribution") for one in told)
    sample = caption("Shapes and shares are of the newest known row of every entity and session, from the 1 % to the "
                     "99 % quantile." if measured else "No home was there to say where the values lie.")  # fmt: skip
    body = tag("body", header, tag("nav", paragraph(links)), sample,
               tag("main", [_view(view, some) for view, some in views.items()]))  # fmt: skip
    return "<!doctype html>\n" + tag("html", head, "\n", body, lang="en") + "\n"
