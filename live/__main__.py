"""`python -m live`: trade an approved bundle on paper, from the base install alone."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from live.journal import Journal, JournalBroken, JournalBusy, JournalUnwritable
from models.bundle import BundleRefused

app = typer.Typer(add_completion=False, rich_markup_mode="markdown", pretty_exceptions_enable=False)


@app.callback(invoke_without_command=True)
def run(
    context: typer.Context,
    journal: Annotated[Path | None, typer.Option(
        help="SQLite file of decisions, orders and fills; made when missing")] = None,
    bundle: Annotated[Path | None, typer.Option(help="A bundle's folder, or the one whose `current` names it")] = None,
    feed: Annotated[str, typer.Option(
        help="replay:PATH, a Parquet tape of minute bars or a folder of them; polygon or databento")] = "",
    speed: Annotated[float | None, typer.Option(help="A tape in real time (1) or so many times as fast")] = None,
    page: Annotated[bool, typer.Option("--serve", help="Show the live page meanwhile; needs a real-time feed")] = False,
    port: Annotated[int, typer.Option(help="Of the page, on 127.0.0.1; 0 takes a free one", min=0, max=65535)] = 8765,
    alerts: Annotated[Path | None, typer.Option(help="TOML: rules, and e-mail; webhooks come from the environment")]
    = None,
    keys: Annotated[Path | None, typer.Option(help="Trusted public keys: a .pub file or a folder of them")] = None,
    broker: Annotated[str, typer.Option(
        help="`paper`, or with a real-time feed alpaca, alpaca:paper, ib:HOST:PORT, ccxt:EXCHANGE")] = "paper",
    kill_file: Annotated[Path | None, typer.Option(help="While it exists nothing new is sent; it sticks")] = None,
    limits: Annotated[Path | None, typer.Option(help="TOML with a [limits] section; a bundle cannot loosen it")] = None,
    shadow: Annotated[Path | None, typer.Option(help="A challenger's bundle: it decides too and sends nothing")] = None,
    reset: Annotated[str | None, typer.Option(help="Leave HALTED, for this reason, which is journaled")] = None,
    passport: Annotated[str | None, typer.Option(help="Explain this order or decision; recompute it")] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Only check the journal's chain of hashes")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output")] = False,
) -> None:
    """Trade a signed bundle on a recorded tape: decide, check limits, write ahead, fill on paper, journal.

    **A first run**

    `python -m live --bundle .nightdesk/bundles --keys .nightdesk/keys --feed replay:TAPE.parquet --journal j.sqlite`

    The bundle is verified before anything in it is parsed. Each session of the tape is decided half an hour before its
    open, and is one transaction: kill the process anywhere and run it again, the journal ends the same. A session that
    is already in the journal is not traded again. Without an approved bundle it stays flat and says so.

    **Stopping it**: `touch` the kill file, send SIGUSR1, or use the page of `python -m live serve`. Nothing new is
    sent, also after a restart and after the file is gone, until `--reset REASON`. A file that begins with `flatten`,
    or SIGUSR2, sells down to nothing first.
    """
    if context.invoked_subcommand is not None:
        return
    try:
        if journal is None:
            raise ValueError("give --journal FILE (--help shows a first run)")
        if verify:
            _verify(journal)
        elif passport is not None:
            _passport(journal, passport, bundle, keys)
        elif reset is not None:
            _reset(journal, reset, kill_file)
        elif speed is not None or feed in ("polygon", "databento"):
            _run(journal, bundle, feed, speed, keys, broker, kill_file, limits, alerts, page, port, as_json, shadow)
        else:
            _replay(journal, bundle, feed, keys, broker, kill_file, limits, as_json, shadow)
    except (ValueError, OSError, JournalBusy, JournalBroken, JournalUnwritable, BundleRefused) as problem:
        print(f"live: {problem}", file=sys.stderr)
        raise SystemExit(2) from None


@app.command()
def serve(
    journal: Annotated[Path, typer.Option(help="The runner's journal; it may be trading meanwhile")],
    kill_file: Annotated[Path, typer.Option(help="The runner's kill file: what the page's button writes")],
    bundle: Annotated[Path | None, typer.Option(help="Bundles, so that passports can be recomputed")] = None,
    keys: Annotated[Path | None, typer.Option(help="Trusted public keys, for the same")] = None,
    limits: Annotated[Path | None, typer.Option(help="The runner's limits, to show how much of each is used")] = None,
    token: Annotated[Path | None, typer.Option(help="The bearer token's file. Default: beside the journal")] = None,
    port: Annotated[int, typer.Option(help="On 127.0.0.1; 0 takes a free one", min=0, max=65535)] = 8765,
) -> None:
    """Show the account on this machine: a live page, JSON, Prometheus metrics, and the kill switch."""
    try:
        show(journal, kill_file, bundle, keys, limits, token, port)
    except (ValueError, OSError) as problem:
        print(f"live: {problem}", file=sys.stderr)
        raise SystemExit(2) from None


@app.command()
def adopt(
    reason: Annotated[str, typer.Argument(help="Why the venue's figures are right; it is journaled")],
    journal: Annotated[Path, typer.Option(help="The account's journal")],
    bundle: Annotated[Path, typer.Option(help="Bundles: their newest says which symbol is which instrument")],
    keys: Annotated[Path, typer.Option(help="Trusted public keys")],
    broker: Annotated[str, typer.Option(help="alpaca, alpaca:paper, ib:HOST:PORT or ccxt:EXCHANGE")],
) -> None:
    """Take over a broker's cash and positions: once for a new account, and after a break that you have understood."""
    import os

    from live.adopting import adopt_from

    try:
        print(adopt_from(journal, bundle, keys, broker, reason, os.environ))
    except (ValueError, OSError, JournalBusy, JournalBroken, JournalUnwritable, BundleRefused) as problem:
        print(f"live: {problem}", file=sys.stderr)
        raise SystemExit(2) from None


def show(journal: Path, kill_file: Path, bundle: Path | None, keys: Path | None, limits: Path | None,
         token: Path | None, port: int) -> None:
    """Serve until Ctrl-C; what the server needs is imported here and nowhere else."""
    from live.api import Account
    from live.clock import SystemClock
    from live.serving import serve as serve_account
    from live.settings import load_keys, load_limits
    from live.view import View
    from models.market.costs import CostModel

    view = View(journal, kill_file, load_limits(limits), CostModel.default().capital_usd)
    trusted = load_keys(keys) if keys is not None else ()
    journal.parent.mkdir(parents=True, exist_ok=True)
    serve_account(Account(view, bundle if trusted else None, trusted, SystemClock().now),
                  token or journal.with_name("api.token"), port)


def _verify(path: Path) -> None:
    book = Journal(path, read_only=True)
    print(f"{path}: {book.verify()} rows, chain intact, head {book.head()[1][:16]}")
    book.close()


def _passport(path: Path, id: str, bundle: Path | None, keys: Path | None) -> None:
    from live.passport import passport
    from live.passport_text import render
    from live.settings import load_keys

    if bundle is None or keys is None:
        raise ValueError("a passport is recomputed from the bundle: give --bundle DIR and --keys PATH too")
    document = passport(path, id, bundle, load_keys(keys))
    print(render(document))
    if not document["recomputed_equal"]:
        raise typer.Exit(1)


def _reset(path: Path, reason: str, kill_file: Path | None) -> None:
    from live.clock import SystemClock
    from live.risk import RiskState, killed

    if killed(kill_file):
        raise ValueError(f"{kill_file} is still there: remove it first")
    with Journal(path) as book:
        last = book.last("state")
        if last is None or last.payload["state"] == RiskState.ACTIVE:
            print("the account is ACTIVE: nothing to reset")
            return
        book.append("state", None, SystemClock().now(),
                    {"state": RiskState.ACTIVE, "was": last.payload["state"], "reason": f"reset by hand: {reason}"})
    print(f"ACTIVE again, from {last.payload['state']} ({last.payload['reason']})")


def _replay(
    journal: Path, bundle: Path | None, feed: str, keys: Path | None, broker: str, kill_file: Path | None,
    limits: Path | None, as_json: bool, shadow: Path | None,
) -> None:
    from live.replay import replay
    from live.settings import load_keys, load_limits

    kind, _, tape = feed.partition(":")
    if bundle is None or keys is None or kind != "replay" or not tape:
        raise ValueError("give --bundle DIR, --keys PATH and --feed replay:TAPE.parquet (--help shows a first run)")
    if broker != "paper":
        raise ValueError(f"broker {broker} trades in real time: give --feed polygon or databento with it")
    report = replay(bundle, Path(tape), journal, verify_keys=load_keys(keys), kill_file=kill_file,
                    limits=load_limits(limits), listen=True, shadow=shadow,
                    say=lambda text: print(f"  … {text}", file=sys.stderr))
    if as_json:
        print(json.dumps(report.as_json(), indent=1))
    else:
        _tell(report.as_json())
    if report.refused:
        raise typer.Exit(1)


def _run(
    journal: Path, bundle: Path | None, feed: str, speed: float | None, keys: Path | None, broker: str,
    kill_file: Path | None, limits: Path | None, alerts: Path | None, page: bool, port: int, as_json: bool,
    shadow: Path | None,
) -> None:
    import os

    from live.feeds import started
    from live.operating import operate
    from live.settings import load_keys, load_limits

    if bundle is None or keys is None or kill_file is None:
        raise ValueError("a feed in real time needs --bundle DIR, --keys PATH and --kill-file FILE")
    runner = started(bundle, journal, feed, speed, keys=load_keys(keys), kill_file=kill_file,
                     limits=load_limits(limits), environment=os.environ, say=_say)
    runner.shadow = shadow
    if broker != "paper":
        from live.adapters.brokers import broker_named

        if speed is not None:
            raise ValueError("a broker trades in real time: --speed is for paper")
        runner.broker, runner.account = lambda taken: broker_named(broker, taken, os.environ), broker
    report = operate(runner, environment=os.environ, alerts=alerts, serve=page, port=port, say=_say,
                     told=lambda told: None if as_json else _tell(told.as_json()))
    if report is not None and as_json:
        print(json.dumps(report.as_json(), indent=1))
    if report is not None and report.refused:
        raise typer.Exit(1)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _tell(report: dict[str, object]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    sessions = report["sessions"]
    if isinstance(sessions, (list, tuple)) and sessions:
        table = Table("session", "state", "orders", "fills", "refused", "P&L $", "costs $", "equity $")
        for row in sessions:
            table.add_row(row["session"], row["state"], str(row["orders"]), str(row["fills"]), str(row["refused"]),
                          f"{row['pnl']:,.2f}", f"{row['costs']:,.2f}", f"{row['end_equity']:,.2f}")
        console.print(table)
    notes = report["notes"]
    for note in notes if isinstance(notes, (list, tuple)) else ():
        console.print(str(note), markup=False)
    if report["flat_reason"]:
        console.print(f"Flat: {report['flat_reason']}", markup=False)
    console.print(f"Journal: {report['journal_rows']} rows, head {str(report['journal_head'])[:16]}", markup=False)


if __name__ == "__main__":
    app()
