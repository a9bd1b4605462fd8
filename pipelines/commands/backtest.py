"""`nightdesk backtest`: judge a bundle or a rule on a tape."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from pipelines import settings as settings_module
from pipelines.commands.options import HomeOption, JsonOption, SeedOption, SetOption, emit, existing, overrides
from pipelines.home import Home

RULE, TAPE = "A rule in the bundle's place", "What is traded on, and where it is told"
EVERY, SIZE = 5, "weight:0.1"


def backtest(
    home: HomeOption = None, seed: SeedOption = None, set_: SetOption = None, json_: JsonOption = False,
    engine: Annotated[Literal["event", "vector"], typer.Option(
        help="event: the live engine, order by order. vector: the arrays that a night judges by")] = "event",
    bundle: Annotated[Path | None, typer.Option(
        help="A bundle's folder, or a folder of bundles. Default: the home's current one")] = None,
    rule: Annotated[str | None, typer.Option(rich_help_panel=RULE, help=(
        "ema_cross:fast=10,slow=20 (short=true goes short too) or reversion:window=20,entry=2"))] = None,
    every: Annotated[int, typer.Option(
        rich_help_panel=RULE, help="Minutes between decisions; each fills at the next minute's open", min=1,
        max=390)] = EVERY,
    size: Annotated[str, typer.Option(rich_help_panel=RULE, help=(
        "weight:0.1 of the capital, shares:100, or a share of it at risk: fixed_fractional:0.01, atr:0.01, "
        "volatility:0.01"))] = SIZE,
    stop: Annotated[str | None, typer.Option(rich_help_panel=RULE, help=(
        "fixed:pct=0.01, atr:multiple=2, trailing:pct=0.01, time:bars=30 or volume; add reward_risk=2 for a target. "
        "Event engine only"))] = None,
    flat: Annotated[bool, typer.Option("--flat", rich_help_panel=RULE, help=(
        "Hold nothing over night. Event engine only"))] = False,
    feed: Annotated[str, typer.Option(rich_help_panel=TAPE, help=(
        "sandbox: the sessions after the home's night. replay:TAPE.parquet: recorded minute bars"))] = "sandbox",
    sessions: Annotated[int, typer.Option(rich_help_panel=TAPE, help="How many coming sandbox sessions", min=1)] = 5,
    out: Annotated[Path | None, typer.Option(
        rich_help_panel=TAPE, help="Where its files go. Default: backtests/ in the home")] = None,
) -> None:
    """Trade a tape and tell what came of it, every cost on: equity, trades with R, MAE and MFE.

    Examples:

    - `nightdesk backtest` trades the approved bundle over the five sandbox sessions to come, as live would

    - `nightdesk backtest --engine vector` judges the same by arrays: to the cent the fills and costs that no limit cuts

    - `nightdesk backtest --rule ema_cross:fast=10,slow=20 --stop atr:multiple=2,reward_risk=2` trades a rule

    - `nightdesk backtest --feed replay:tape.parquet --json` on bars of your own, answered as one JSON document

    It leaves a page (index.html) and Parquet: equity and trades, the vector engine positions and each charge too, the
    event engine its journal. In a notebook, `pipelines.backtesting.frames(folder)` gives them as data frames. For
    thousands of parameters there is `models.backtest.sweep`, for many strategies as one account
    `models.portfolio.PortfolioBacktester`.
    """
    from pipelines import backtesting

    refuse_what_contradicts(engine, bundle, rule, every, size, stop, flat)
    chosen = backtesting.intraday_of(rule, every, size, stop, flat) if rule is not None else None
    if out is not None:
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise ValueError(f"--out {out} cannot be a folder for the files: {problem.strerror}") from problem
    settings = settings_module.load(overrides(home, None, seed, None, set_))
    # A rule on recorded bars needs no home that was there before.
    desk = Home(settings.home).prepare() if (bundle or rule) and feed != "sandbox" else existing(settings)
    told = backtesting.run(settings, desk, engine=engine, bundle_dir=bundle, feed=feed, sessions=sessions,
                           intraday=chosen, out=out)
    emit(told, json_, backtesting.print_result)


def refuse_what_contradicts(
    engine: str, bundle: Path | None, rule: str | None, every: int, size: str, stop: str | None, flat: bool
) -> None:
    """Options that would change nothing are not passed over in silence."""
    if rule is None:
        lost = [name for name, given in (("--every", every != EVERY), ("--size", size != SIZE),
                                         ("--stop", stop is not None), ("--flat", flat)) if given]
        if lost:
            raise ValueError(f"a bundle brings its own rule, and {', '.join(lost)} would change nothing: add --rule "
                             "ema_cross, or leave it out")
    elif engine == "vector" and (stop is not None or flat):
        raise ValueError(f"{'--stop' if stop is not None else '--flat'} hangs on the path inside the session, which "
                         "arrays do not walk: use --engine event")
    if bundle is not None and not bundle.is_dir():
        raise FileNotFoundError(f"no bundle at {bundle}: give the folder that holds its manifest.json")
