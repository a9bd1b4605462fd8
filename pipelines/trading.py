"""The command line's way into live: make the tape, hand over to the runner, keep its story for the report."""

from pathlib import Path
from typing import Any

from pipelines import failpoints
from pipelines.home import Home
from pipelines.progress import say, step
from pipelines.settings import Settings

KILL_FILE = "KILL"  # in the home's folder; while it exists nothing new is sent


def journal_path(home: Home) -> Path:
    return home.journal / "paper.sqlite"


def tape_of(settings: Settings, home: Home, feed: str, sessions: int) -> Path:
    """The tape that a feed stands for: a recorded one, or the sandbox's coming sessions, recorded now."""
    kind, _, tape = feed.partition(":")
    if kind == "replay" and tape:
        return Path(tape)
    if feed != "sandbox":
        raise ValueError(f"no feed '{feed}' on a tape: use sandbox, or replay:TAPE.parquet")
    from pipelines import feeds, night

    with home.lock(), step("record the coming session from the sandbox's feed"):
        return feeds.record_tape(settings, home, night.current(home), sessions)


def run_live(settings: Settings, home: Home, bundle: Path | None, feed: str, sessions: int, speed: float | None,
             serve: bool, port: int, shadow: Path | None = None) -> dict[str, Any] | None:
    """Trade in real time, or at a stated speed, and be looked at meanwhile; None when a person ended it."""
    import os

    from live.feeds import started
    from live.operating import operate
    from live.settings import load_keys, load_limits

    tape = tape_of(settings, home, feed, sessions) if feed == "sandbox" or feed.startswith("replay:") else None
    limits, trusted, alerts = home.root / "limits.toml", home.keys / "trusted", home.root / "alerts.toml"
    runner = started(
        bundle or home.bundles, journal_path(home), f"replay:{tape}" if tape else feed, speed,
        keys=load_keys(trusted) if trusted.exists() else (), kill_file=home.root / KILL_FILE,
        limits=load_limits(limits if limits.exists() else None), environment=os.environ, say=say,
    )
    runner.shadow = shadow

    def told(report: Any) -> None:
        home.write_section("live", report.as_json())
        print_report(report.as_json())

    report = operate(runner, environment=os.environ, alerts=alerts if alerts.exists() else None,
                     expected=_expected(home), serve=serve, port=port, told=told)
    return report.as_json() if report else None


def _expected(home: Home) -> Any:
    """What the champion was judged to earn, where the last night told it."""
    import math
    from statistics import fmean, stdev

    from live.lookout import Expected
    from models.market.costs import CostModel

    key = home.read_section("verdict").get("key")
    for one in home.read_section("judged").get("strategies", []):
        if one["key"] == key and len(one["equity"]) > 20:
            daily = [now - before for before, now in zip(one["equity"], one["equity"][1:], strict=False)]
            cash, deviation = CostModel.default().cash_rate_session, stdev(daily)
            sharpe = (fmean(daily) - cash) / deviation * math.sqrt(252)
            return Expected(sharpe, deviation, cash) if sharpe > 0 else None
    return None


def trade(settings: Settings, home: Home, bundle: Path | None, feed: str, sessions: int,
          shadow: Path | None = None) -> dict[str, Any]:
    """Trade on paper; a session that is in the journal already is not traded again."""
    from live.replay import replay
    from live.settings import load_keys, load_limits

    path = tape_of(settings, home, feed, sessions)
    limits, trusted = home.root / "limits.toml", home.keys / "trusted"
    journal_path(home).parent.mkdir(parents=True, exist_ok=True)
    report = replay(
        bundle or home.bundles, path, journal_path(home), verify_keys=load_keys(trusted) if trusted.exists() else (),
        kill_file=home.root / KILL_FILE, limits=load_limits(limits if limits.exists() else None),
        reached=failpoints.reached, say=say, listen=True, shadow=shadow,
    ).as_json()
    home.write_section("live", report)
    if feed == "sandbox":
        from pipelines import night
        from pipelines import report as page

        page.render(home, settings, night.current(home))  # the night's page, now with its day
    return report


def show(home: Home, port: int) -> None:
    """The account's page on this machine, until Ctrl-C."""
    from live.__main__ import show as show_account

    limits, trusted = home.root / "limits.toml", home.keys / "trusted"
    show_account(journal_path(home), home.root / KILL_FILE, home.bundles, trusted if trusted.exists() else None,
                 limits if limits.exists() else None, None, port)


def passport(home: Home, id: str) -> dict[str, Any]:
    from live.passport import passport as live_passport
    from live.settings import load_keys

    return live_passport(journal_path(home), id, home.bundles, load_keys(home.keys / "trusted"))


def print_report(report: dict[str, Any]) -> None:
    if report["flat_reason"]:
        print(report["flat_reason"])
    for note in report["notes"]:
        print(note)
    for day in report["sessions"]:
        again = " (already replayed)" if day["already"] else ""
        print(f"session {day['session']}: {day['orders']} orders, {day['fills']} fills, P&L {day['pnl']:+,.2f} USD "
              f"after {day['costs']:,.2f} of costs, equity {day['end_equity']:,.2f}{again}")
        if day["decision_id"]:
            print(f"  why: nightdesk passport {day['decision_id']}")


def print_passport(document: dict[str, Any]) -> None:
    from live.passport_text import render

    print(render(document))
