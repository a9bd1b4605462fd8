"""The week in one page: what was decided and by whom, what was traded and why it differed, what waits for a person.
Made from records, ledger and journal, so that any week can be told again."""

import csv
import datetime as dt
import io
from pathlib import Path
from typing import Any

from pipelines import durable
from pipelines.home import Home
from pipelines.report import words
from pipelines.report.charts import Line, line_chart
from pipelines.report.html import Html, caption, note, paragraph, raw, tag
from pipelines.report.parts.part import facts, table

STYLE = Path(__file__).with_name("page.css")
SESSION_COLUMNS = ("session", "pnl_usd", "equity_usd", "costs_usd", "orders", "fills", "refused", "against_judged_usd",
                   "largest_cause")


def week_of(day: dt.date) -> tuple[dt.date, dt.date]:
    """Monday and Sunday of the week that a day lies in."""
    monday = day - dt.timedelta(days=day.weekday())
    return monday, monday + dt.timedelta(days=6)


def name_of(day: dt.date) -> str:
    year, week, _ = day.isocalendar()
    return f"week-{year}-{week:02d}"


def collect(home: Home, day: dt.date) -> dict[str, Any]:
    """Everything the page says of the week that `day` lies in."""
    from pipelines.evidence.judged import SLOT
    from pipelines.evidence.ledger import Ledger
    from pipelines.evidence.records import Records
    from pipelines.evidence.standing import standing

    first, last = week_of(day)
    records = Records(home).all()
    then = [one for one in records if one.recorded_at[:10] <= str(last)]
    held = standing(then, SLOT)
    rows = Ledger(home.ledger).rows()
    return {
        "first": str(first), "last": str(last), "sessions": _sessions(home, str(first), str(last)),
        "acts": [_act(one) for one in then if one.recorded_at[:10] >= str(first)],
        "nights": sorted(path.name for path in home.reports.glob("[0-9]*-[0-9]*-[0-9]*")
                         if str(first) <= path.name <= str(last)) if home.reports.exists() else [],
        "holder": held.champion.content["strategy"] if held.champion else None,
        "rung": held.rung if held.champion else None, "killed": held.killed.seq if held.killed else None,
        "waiting": [{"record": held.proposal.seq, "strategy": held.proposal.content["strategy"],
                     "to": held.proposal.content.get("rung")}] if held.proposal else [],
        "trials": {kind: {"this_week": sum(str(first) <= row["registered_at"][:10] <= str(last)
                                           for row in rows if row["kind"] == kind),
                          "ever": sum(row["kind"] == kind and row["registered_at"][:10] <= str(last) for row in rows)}
                   for kind in ("outer", "inner", "diagnostic")},
    }


def _act(record: Any) -> dict[str, Any]:
    content = record.content
    failed = [one["plain"] for one in content.get("verdict", {}).get("checks", content.get("checks", []))
              if not one["passed"]]
    return {"record": record.seq, "at": record.recorded_at, "act": record.act, "strategy": content["strategy"],
            "by": content.get("actor") or "the gate",
            "why": content.get("reason") or (failed[0] if failed else "Every question was answered.")}


def _sessions(home: Home, first: str, last: str) -> list[dict[str, Any]]:
    from pipelines.evidence.lived import entries

    looked_at = {one["session"]: one for one in home.read_section("twin").get("sessions", [])}
    found = []
    for _, session, told in entries(home, "close"):
        if first <= session <= last:
            twin = looked_at.get(session)
            parts = (twin or {}).get("parts", {})
            cause = max(parts, key=lambda name: abs(parts[name])) if twin and twin["difference"] else None
            found.append({"session": session, "pnl_usd": told["pnl"], "equity_usd": told["equity"],
                          "costs_usd": told["costs"], "orders": told["orders"], "fills": told["fills"],
                          "refused": told["refused"], "against_judged_usd": twin["difference"] if twin else None,
                          "largest_cause": cause})
    return sorted(found, key=lambda one: str(one["session"]))


def _to_do(told: dict[str, Any]) -> Html:
    lines = [tag("li", f"Record {one['record']}: {one['strategy']} asks for the rung {one['to']}. ",
                 tag("code", f"nightdesk models approve {one['record']}"), " or ",
                 tag("code", f"nightdesk models reject {one['record']}")) for one in told["waiting"]]
    if told["killed"]:
        lines.append(tag("li", f"Record {told['killed']} stopped the slot: ", tag("code", "nightdesk models reset"),
                         " lets it trade again."))
    return tag("section", tag("h2", "What to decide"), tag("ul", lines, class_="plain") if lines
               else paragraph("Nothing waits for a person."), id="decide")


def _acts(told: dict[str, Any]) -> Html:
    rows = [[words.moment(one["at"]), tag("b", one["act"]), one["strategy"], one["by"], one["why"]]
            for one in told["acts"]]
    return tag("section", tag("h2", "What was decided"),
               table(["When", "Act", "Strategy", "By", "Why"], rows, words=5) if rows
               else paragraph("No act was written down this week."), id="acts")


def _traded(told: dict[str, Any]) -> Html:
    days = told["sessions"]
    if not days:
        return tag("section", tag("h2", "What was traded"), note("No session was traded this week."), id="traded")
    rows = [[words.day(one["session"]), words.money(one["pnl_usd"], sign=True), words.money(one["costs_usd"]),
             words.count(one["fills"]), words.count(one["refused"]), words.money(one["against_judged_usd"], sign=True),
             one["largest_cause"] or words.DASH] for one in days]
    total = sum(one["pnl_usd"] for one in days)
    drawn: list[Any] = [paragraph(f"{words.plural(len(days), 'session')}, {words.money(total, sign=True)} after "
                                  f"{words.money(sum(one['costs_usd'] for one in days))} of costs.")]
    if len(days) > 1:
        line = Line("equity", [one["equity_usd"] for one in days], "c1")
        drawn.append(line_chart([one["session"] for one in days], [line], label="Equity at each close", height=150,
                                about=3, show=lambda value: words.number(value, 0)))
    drawn.append(table(["Session", "P&L", "costs", "fills", "refused", "against judgement", "largest cause"], rows))
    return tag("section", tag("h2", "What was traded"), drawn,
               caption("From the journal; the comparison with judgement follows one night later."), id="traded")


def compose(told: dict[str, Any]) -> str:
    """The page as text: no script, no network, nothing beside it but the nights that it links to."""
    title = f"The week of {words.day(told['first'])}"
    trials = [(f"{kind.capitalize()} trials", f"{words.count(one['this_week'])} this week, "
               f"{words.count(one['ever'])} ever") for kind, one in told["trials"].items()]
    nights = [tag("li", tag("a", words.day(night), href=f"../{night}/index.html")) for night in told["nights"]]
    holder = f"{told['holder']} holds the slot, on the rung {told['rung']}." if told["holder"] else \
        "Nobody holds the slot."
    head = tag("head", tag("meta", charset="utf-8"),
               tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
               tag("meta", name="color-scheme", content="light dark"), tag("title", f"Nightdesk: {title}"),
               tag("style", raw(STYLE.read_text())))
    body = tag("body", tag("header", tag("p", tag("b", "Nightdesk"), " · weekly", class_="kicker"), tag("h1", title),
                           paragraph(holder, class_="lede")),
               tag("main", _to_do(told), _traded(told), _acts(told),
                   tag("section", tag("h2", "The trial ledger"), facts(trials), id="trials"),
                   tag("section", tag("h2", "The nights"), tag("ul", nights, class_="plain") if nights
                       else note("No night's page is here."), id="nights")),
               tag("footer", paragraph("Told from records, ledger and journal; sessions.csv, sessions.parquet and "
                                       "acts.csv lie beside this page.")))
    return "<!doctype html>\n" + tag("html", head, "\n", body, lang="en") + "\n"


def _csv(columns: tuple[str, ...], rows: list[dict[str, Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def _parquet(rows: list[dict[str, Any]]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {"session": pa.string(), "orders": pa.int64(), "fills": pa.int64(), "refused": pa.int64(),
             "largest_cause": pa.string()}
    schema = pa.schema([(name, kinds.get(name, pa.float64())) for name in SESSION_COLUMNS])
    out = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows, schema), out)
    return bytes(out.getvalue().to_pybytes())


def render(home: Home, day: dt.date) -> Path:
    """Write the page of the week that `day` lies in, and its tables; the page last."""
    told, folder = collect(home, day), home.reports / name_of(day)
    acts = ("record", "at", "act", "strategy", "by", "why")
    for name, data in (("sessions.csv", _csv(SESSION_COLUMNS, told["sessions"])),
                       ("sessions.parquet", _parquet(told["sessions"])), ("acts.csv", _csv(acts, told["acts"])),
                       ("index.html", compose(told).encode())):
        durable.write_atomic(folder / name, data, failpoint="weekly")
    return folder / "index.html"
