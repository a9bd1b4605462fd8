"""`nightdesk backtest`: a bundle or a rule on a tape, by the live engine or by arrays, and the files it leaves."""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines import durable
from pipelines.backtesting_words import intraday_of
from pipelines.home import Home
from pipelines.progress import say
from pipelines.settings import Settings

__all__ = ["frames", "intraday_of", "print_result", "run"]

if TYPE_CHECKING:
    import pyarrow as pa

    from live.backtest import BacktestResult
    from models.bundle import Bundle
    from models.intraday import Intraday

MOST_NOTED = 3  # sessions without a decision, with why


def run(settings: Settings, home: Home, *, engine: str, bundle_dir: Path | None, feed: str, sessions: int,
        intraday: "Intraday | None", out: Path | None) -> dict[str, Any]:
    """The document of one backtest; its files lie in `files`."""
    from live.backtest import TapeFeed
    from pipelines.trading import tape_of

    tape = TapeFeed(tape_of(settings, home, feed, sessions))
    chosen = _bundle(home, bundle_dir, tape.sessions()[0])
    if intraday is not None:
        chosen = _of_rule(intraday, chosen, tape)
    elif chosen is None:
        raise ValueError(f"no approved bundle in {bundle_dir or home.bundles}: `nightdesk nightly` makes one where a "
                         "strategy passes the gate; or name one with --bundle DIR, or a rule with --rule ema_cross")
    days = [day for day in tape.sessions() if any(times.session == day for times in chosen.calendar)]
    if not days:
        raise ValueError("no session of the tape is in the bundle's calendar: there is nothing to trade on")
    _count(settings, home, chosen, engine, feed, days)
    folder = out or home.root / "backtests" / f"{chosen.strategy.name}-{engine}-{days[0]}_{days[-1]}".replace(" ", "-")
    folder.mkdir(parents=True, exist_ok=True)
    if engine == "vector":
        from pipelines import backtesting_vector

        result, tables = backtesting_vector.judged(chosen, tape, days)
        return _written(result, folder, engine, chosen, tables)
    from live.backtest import Limits, backtest
    from live.settings import load_limits

    told = home.root / "limits.toml"
    limits: Limits = load_limits(told if told.exists() else None)
    for name in ("journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm", "journal.sqlite.lock"):
        (folder / name).unlink(missing_ok=True)
    return _written(backtest(chosen, tape, folder / "journal.sqlite", limits=limits, sessions=days, say=say), folder,
                    engine, chosen)


def _count(settings: Settings, home: Home, chosen: "Bundle", engine: str, feed: str, days: Sequence[dt.date]) -> None:
    """A row of the trial ledger, written before anything is scored: what was looked at by hand was looked at. A daily
    strategy counts into the trials that the gate asks about, unless a night judged it already."""
    from pipelines import night
    from pipelines.evidence.judged import SLOT
    from pipelines.evidence.ledger import Ledger
    from pipelines.training.candidates import TARGET

    strategy = chosen.strategy
    target = TARGET if strategy.slot == SLOT else strategy.slot
    detail = {"name": strategy.name, "engine": engine, "feed": feed.partition(":")[0], "first": days[0].isoformat(),
              "last": days[-1].isoformat()}
    with home.lock():
        Ledger(home.ledger).register("backtest", target, strategy.key(), settings.seed, detail,
                                     night.moment(settings, home)[0])


def _bundle(home: Home, path: Path | None, first: dt.date) -> "Bundle | None":
    from models.bundle import MANIFEST, current, load
    from pipelines.calendars import open_at
    from pipelines.evidence import keys

    folder = path if path is not None and (path / MANIFEST).is_file() else current(path or home.bundles)
    return load(folder, keys.trusted(home.keys), 0, open_at(first)) if folder is not None else None


def _of_rule(intraday: "Intraday", known: "Bundle | None", tape: Any) -> "Bundle":
    """A rule on the tape's names, with the daily history of the home's bundle where there is one."""
    from live.backtest import in_memory
    from models.bundle import SessionTimes
    from models.strategy import StrategyConfig
    from pipelines.calendars import close_at, open_at

    days: Sequence[dt.date] = tape.sessions()
    calendar = [SessionTimes(day, open_at(day), close_at(day)) for day in days]
    names = sorted({bar.instrument_id for bar in tape.bars(days[0])})
    symbols, history = names, None
    if known is not None:
        bars = known.snapshot.bars
        after = [times for times in calendar if times.session > bars.sessions[-1].astype(object)]
        calendar = after or calendar
        names, symbols = list(bars.names), list(known.snapshot.symbols)
        history = (bars.sessions, bars.columns) if after else None
    strategy = StrategyConfig(name=str(intraday.to_json()["rule"]["rule"]), slot="intraday-equity", intraday=intraday)
    return in_memory(strategy, names, symbols, calendar, history)


def _written(result: "BacktestResult", folder: Path, engine: str, bundle: "Bundle",
             tables: "Mapping[str, pa.Table] | None" = None) -> dict[str, Any]:
    """Equity and trades as Parquet, and what else an engine tells in `tables`; all of it as one page."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from live.replay import held
    from pipelines.report import backtest_page

    equity = pa.table({"session": pa.array([dt.date.fromisoformat(day) for day in result.sessions], pa.date32()),
                       "equity_usd": result.equity, "costs_usd": result.costs})
    for name in ("trades", "positions"):  # of an earlier run into this folder
        (folder / f"{name}.parquet").unlink(missing_ok=True)
    for name, table in {"equity": equity, **(tables or {})}.items():
        pq.write_table(table, folder / f"{name}.parquet")
    if result.trades:
        pq.write_table(pa.Table.from_pylist(list(result.trades)), folder / "trades.parquet")
    symbols = dict(zip(bundle.snapshot.bars.names, bundle.snapshot.symbols, strict=True))
    durable.write_atomic(folder / "index.html", backtest_page.draw(result, engine, symbols).encode())
    return {"engine": engine, "strategy": result.strategy, "figures": _told(result.figures()),
            "sessions": [{"session": day, "equity": worth, "costs": paid} for day, worth, paid in
                         zip(result.sessions, result.equity, result.costs, strict=True)],
            "notes": held(folder / "journal.sqlite") if engine == "event" else [],
            "trades": len(result.trades), "files": {path.name: str(path) for path in sorted(folder.iterdir())
                                                    if path.suffix in {".parquet", ".html", ".sqlite"}}}


def _told(figures: Mapping[str, float | int]) -> dict[str, float | int | None]:
    """JSON knows no figure that is not a number."""
    return {name: value if math.isfinite(value) else None for name, value in figures.items()}


def frames(folder: Path) -> dict[str, Any]:
    """A finished backtest as pandas data frames, for notebooks: `equity` and, where there were any, `trades`."""
    import pandas as pd

    return {path.stem: pd.read_parquet(path) for path in sorted(folder.glob("*.parquet"))}


def print_result(told: dict[str, Any]) -> None:
    figures = told["figures"]
    print(f"{told['strategy']} by the {told['engine']} engine: {figures['sessions']} session(s), "
          f"{figures['orders']} orders, {figures['fills']} fills, {figures['trades']} trades")
    print(f"  profit {figures['profit_usd']:+,.2f} USD after {figures['costs_usd']:,.2f} of costs, "
          f"deepest fall {figures['max_drawdown']:.2%}")
    if figures["trades"]:
        means = [f"{'unknown' if figures[name] is None else format(figures[name], '+.2f')}"
                 for name in ("mean_R", "mean_mae_R", "mean_mfe_R")]
        print("  a trade: R {}, MAE {}, MFE {}, ".format(*means) + f"won {figures['wins']:.0%}")
    for note in told["notes"][:MOST_NOTED]:
        print(f"  {note}")
    if len(told["notes"]) > MOST_NOTED:
        print(f"  and {len(told['notes']) - MOST_NOTED} sessions more, for which nothing was decided")
    for row in told["sessions"][-10:]:
        print(f"  {row['session']}  equity {row['equity']:>16,.2f}  costs {row['costs']:>10,.2f}")
    for path in told["files"].values():
        print(f"  {path}")
