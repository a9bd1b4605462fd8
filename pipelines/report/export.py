"""The judged equity as CSV, for whoever wants to draw it again."""

import csv
import io

from pipelines.report.interval import profit
from pipelines.report.story import Story


def judged_csv(story: Story) -> bytes:
    """One row a judged session: cumulative net profit as a share of the stated capital, strategies and buy-and-hold."""
    judged = story.get("judged")
    columns = {"buy_and_hold": profit(judged.get("benchmark") or [])}
    columns |= {str(one.get("name")): profit(one.get("equity") or []) for one in story.strategies}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["session", *columns])
    for i, session in enumerate(judged.get("sessions") or []):
        writer.writerow([session, *(repr(values[i]) if i < len(values) else "" for values in columns.values())])
    return out.getvalue().encode()
