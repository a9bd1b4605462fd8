"""One process that a person starts in the morning: the runner, its page, its alerts; and ends with Ctrl-C."""

import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from live.alert_settings import load as load_alerts
from live.alerts import Alerter
from live.clock import SystemClock
from live.lookout import Expected, Lookout
from live.replay import ReplayReport
from live.running import Runner
from live.view import View


def operate(
    runner: Runner, *, environment: Mapping[str, str], alerts: Path | None = None, expected: Expected | None = None,
    serve: bool = False, port: int = 8765, token_file: Path | None = None,
    say: Callable[[str], None] = print, told: Callable[[ReplayReport], None] = lambda report: None,
) -> ReplayReport | None:
    """Run until the feed's sessions end; with `serve` show the page meanwhile, and stay until Ctrl-C. None when it was
    ended in mid-session: then the journal is as it was before it."""
    view = View(runner.journal, runner.kill_file, runner.limits, runner.costs.capital_usd, runner.now)
    rules, sinks = load_alerts(alerts, environment)
    alerter = Alerter(sinks)
    runner.journal.parent.mkdir(parents=True, exist_ok=True)
    lookout = Lookout(view, alerter, rules, lambda: runner.pace.now().isoformat(), runner.hub, runner.vitals, expected)
    with ExitStack() as stack:
        stack.callback(alerter.close)
        if serve:
            from live.api import Account
            from live.serving import address, served, token_in

            file = token_file or runner.journal.with_name("api.token")
            token = token_in(file)
            account = Account(view, runner.bundle_dir, runner.verify_keys, SystemClock().now, runner.hub, alerter)
            number = stack.enter_context(served(account, token, port=port))
            say(f"Live page: {address(number, token)}\n  (token in {file}; Ctrl-C ends the runner and the page)")
        stack.enter_context(lookout.watching())
        try:
            report = runner.run(listen=threading.current_thread() is threading.main_thread())
        except KeyboardInterrupt:
            say("Ended by hand. A session that was begun is taken up again from its start.")
            return None
        told(report)
        if serve:
            say("No more sessions. The page stays until Ctrl-C.")
            try:
                threading.Event().wait()
            except KeyboardInterrupt:
                pass
        return report
