"""Puts a tear sheet together: one HTML file with its pictures inside, no script, nothing from outside."""

from pathlib import Path
from typing import Any

from models.backtest.figures import annual_return, annual_volatility, max_drawdown, sharpe_annual
from pipelines.report import words
from pipelines.report.html import Html, paragraph, raw, tag
from pipelines.report.parts import price
from pipelines.report.parts.part import facts
from pipelines.report.sheet import evidence, figures, path, working
from pipelines.report.sheet.record import Sheet

STYLES = (Path(__file__).parents[1] / "page.css", Path(__file__).with_name("sheet.css"))


def _figures(sheet: Sheet) -> Html:
    band = evidence.sharpe_interval("", sheet.excess) if len(sheet.net) >= evidence.LEAST_SESSIONS else None
    interval = "too few sessions for an interval"
    if band:
        interval = f"95 %: {words.number(band.low, 1)} to {words.number(band.high, 1)}"
    deepest = max_drawdown(sheet.net)
    made = annual_return(sheet.net)
    told: list[tuple[str, str, str]] = [
        ("Sharpe, net", words.number(sharpe_annual(sheet.excess)), interval),
        ("Return a year", words.percent(made), f"volatility {words.percent(annual_volatility(sheet.net))}"),
        ("Worst drawdown", words.fall(deepest),
         f"{words.plural(figures.longest_under_water(sheet.net), 'session')} under water at most"),
    ]
    if sheet.cost is not None and sheet.turnover is not None:
        told.append(("Costs a day", f"{words.number(float(sheet.cost.mean()) * 1e4, 1)} bp",
                     f"turnover {words.percent(float(sheet.turnover.mean()), 0)}"))
    cells = [tag("div", tag("dt", name), tag("dd", value, tag("small", beside))) for name, value, beside in told]
    return tag("dl", cells, class_="figures")


def _section(title: str, parts: list[Html], anchor: str) -> Html | None:
    return tag("section", tag("h2", title), parts, id=anchor) if parts else None


def _pair(*halves: tuple[str, list[Html]]) -> list[Html]:
    """Two pictures side by side where there is room, one under the other on a phone."""
    shown = [tag("div", tag("h3", title), parts) for title, parts in halves if parts]
    if len(shown) == 2:
        return [tag("div", shown, class_="pair")]
    return shown


def compose(sheet: Sheet, kicker: str) -> str:
    """The whole document as text; the same sheet gives the same bytes."""
    chapters = [
        ("Profit after costs", path.equity(sheet), "equity"),
        ("Month by month", path.by_month(sheet), "months"),
        ("Fold by fold, regime by regime", _pair(("Folds", path.folds(sheet)), ("Regimes", path.regimes(sheet))),
         "slices"),
        ("How far to believe it", evidence.believed(sheet), "statistics"),
        ("What carelessness would have added", price.price(sheet.price_tag), "price"),
        ("Luck of order", evidence.order(sheet), "luck"),
        ("Session by session", _pair(("How they are spread", evidence.spread(sheet)), ("Lately", path.lately(sheet))),
         "sessions"),
        ("Capital that it carries", working.capacity(sheet), "capacity"),
        ("What its scores are worth", _pair(("Said and earned", working.calibration(sheet)),
                                            ("What it leans on", working.importances(sheet))), "scores"),
        ("What was counted", [facts(sheet.facts)] if sheet.facts else [], "counted"),
        ("Trades", working.trades(sheet), "trades"),
    ]
    styles = "".join(style.read_text() for style in STYLES)
    head = tag("head", tag("meta", charset="utf-8"),
               tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
               tag("meta", name="color-scheme", content="light dark"), tag("title", f"{sheet.name}: tear sheet"),
               tag("style", raw(styles)))
    top = tag("header", paragraph(tag("b", "Nightdesk"), f" · {kicker}", class_="kicker"),
              tag("h1", tag("span", sheet.role, class_=f"role {sheet.tone}"), tag("span", sheet.name, class_="name")),
              paragraph(sheet.told, class_="lede"), _figures(sheet), class_=sheet.tone)
    links: list[Any] = []
    for text, href in sheet.links:
        links += [tag("a", text, href=href), " · "]
    foot = tag("footer", paragraph(*links[:-1]) if links else None,
               paragraph("Every figure is of the sample stated under it, out of sample for the models that traded it, "
                         f"at a stated capital of {words.count(sheet.capital_usd)} USD. Paper trading only."))
    drawn = [_section(title, parts, anchor) for title, parts, anchor in chapters]
    body = tag("body", top, tag("main", drawn), foot)
    return "<!doctype html>\n" + tag("html", head, "\n", body, lang="en") + "\n"
