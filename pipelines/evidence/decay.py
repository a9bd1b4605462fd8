"""The champion's watch: whether what it earned since it was let through still looks like what let it through."""

import math
from typing import Any

import numpy as np

from models.validation.decay import Watch, one_below
from pipelines.evidence.judged import SLOT, JudgedNight
from pipelines.evidence.records import Record, Records
from pipelines.evidence.verdict import night_of
from pipelines.home import Home

BROKEN_SHARPE = 0.0  # no skill left
LEAST_HEALTHY_SHARPE = 0.5  # less could not be told from none in any time that matters
# What trading folklore watches for: a look at which the newest figure lies one standard error below the old one.
FOLKLORE_FALSE_ALARMS_A_LOOK = 0.159


def let_through(records: Records, slot: str = SLOT) -> Record | None:
    """The act that brought the champion's configuration into its slot; refreshes since then are the same one."""
    champion, brought = records.champion(slot), None
    if champion is None:
        return None
    for record in reversed(records.all()):
        if record.content["slot"] != slot or record.content.get("key") != champion.content["key"]:
            continue
        if record.content.get("attempted") == "promote" and record.act in ("promote", "override"):
            brought = record
            break
    return brought


def watch(home: Home, night: JudgedNight) -> dict[str, Any]:
    """The section `decay`: sessions after the champion's evidence ended, its statistic and the level of an alarm."""
    record = let_through(Records(home))
    if record is None:
        return {"watched": False, "alarm": False, "plain": "Nobody holds the slot: there is nothing to watch."}
    key, figures = record.content["key"], record.content["verdict"]["figures"]
    if key not in {one["key"] for one in night.candidates}:
        return {"watched": False, "alarm": False, "plain": "What holds the slot was not judged tonight: other code."}
    then = night_of(record)
    evidence = then.series["active"][:, then.column(key)]
    # The best of many looks better than it is: what luck alone would have shown is taken off before it is expected.
    healthy = max(LEAST_HEALTHY_SHARPE, float(figures["sharpe_active"]) - float(figures["luck_sharpe"]))
    test = Watch(healthy, BROKEN_SHARPE)
    since = night.sessions > then.sessions[-1]
    active = night.series["active"][since, night.column(key)]
    statistic = test.statistic(active, float(evidence.std(ddof=1)))
    folklore = one_below(evidence, active)
    crossed = np.flatnonzero(statistic >= test.level)
    first = str(night.sessions[since][crossed[0]]) if len(crossed) else None
    return {
        "watched": True, "alarm": first is not None, "first_alarm": first, "strategy": record.content["strategy"],
        "record_seq": record.seq, "sessions": [str(day) for day in night.sessions[since]],
        "statistic": [float(value) for value in statistic], "level": test.level, "healthy_sharpe": healthy,
        "broken_sharpe": BROKEN_SHARPE, "false_alarm_sessions": test.false_alarm_sessions,
        "median_sessions_to_detect": test.median_sessions_to_detect,
        "folklore_false_alarms_a_look": FOLKLORE_FALSE_ALARMS_A_LOOK,
        "folklore": {"judged": _plain_number(folklore.judged), "error": _plain_number(folklore.error),
                     "live": _plain_number(folklore.live), "below": folklore.below},
        "plain": _plain(record.content["strategy"], len(active), first, test),
    }


def _plain_number(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None


def _plain(strategy: str, sessions: int, first: str | None, test: Watch) -> str:
    known = (f"A strategy as good as expected (Sharpe {test.healthy:.1f} after luck) is called ill once in "
             f"{test.false_alarm_sessions / 252:.0f} years on average; one without any skill left is found within "
             f"{test.median_sessions_to_detect} sessions half the time.")
    if not sessions:
        return f"{strategy} was let through on all that was judged: its watch begins with the next session. {known}"
    if first is not None:
        return f"{strategy} has earned less than it was let through for; the alarm fell on {first}. {known}"
    return f"{strategy} shows no decay in the {sessions} sessions since it was let through. {known}"
