"""`nightdesk backtest`: judge a bundle or a rule on a tape."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from pipelines import settings as settings_module
from pipelines.commands.options import HomeOption, JsonOption, SeedOption, SetOption, emit, overrides
from pipelines.home import Home


def backtest(
    home: HomeOption = None, seed: SeedOption = None, set_: SetOption = None, json_: JsonOption = False,
    engine: Annotated[Literal["event", "vector"], typer.Option(
        help="event: the live engine with the simulated venue. vector: the arrays that a night judges by")] = "event",
    bundle: Annotated[Path | None, typer.Option(help="A bundle's folder. Default: the home's current one")] = None,
    rule: Annotated[str | None, typer.Option(help="A rule in its place, e.g. ema_cross:fast=10,slow=20")] = None,
    every: Annotated[int, typer.Option(help="Minutes between a rule's decisions", min=1, max=390)] = 5,
    size: Annotated[str, typer.Option(
        help="weight:0.1, shares:100, or fixed_fractional, atr, volatility with a share at risk")] = "weight:0.1",
    stop: Annotated[str | None, typer.Option(
        help="fixed:pct=0.01, atr:multiple=2, trailing:pct=0.01, time:bars=30, volume; reward_risk=2 a target")] = None,
    flat: Annotated[bool, typer.Option("--flat", help="Hold nothing over night")] = False,
    feed: Annotated[str, typer.Option(help="sandbox (the coming sessions) or replay:TAPE.parquet")] = "sandbox",
    sessions: Annotated[int, typer.Option(help="How many coming sandbox sessions", min=1)] = 5,
    out: Annotated[Path | None, typer.Option(help="Where its files go. Default: backtests/ in the home")] = None,
) -> None:
    """Trade a tape by the live engine on the simulated venue, or judge it by arrays: equity, trades, R, MAE, MFE."""
    from pipelines import backtesting

    settings = settings_module.load(overrides(home, None, seed, None, set_))
    desk = Home(settings.home).prepare()
    chosen = backtesting.intraday_of(rule, every, size, stop, flat) if rule is not None else None
    told = backtesting.run(settings, desk, engine=engine, bundle_dir=bundle, feed=feed, sessions=sessions,
                           intraday=chosen, out=out)
    emit(told, json_, backtesting.print_result)
