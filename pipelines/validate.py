"""Does each system of a desk do its work? One line a system, PASS or FAIL, each by really doing something."""

import contextlib
import datetime as dt
import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, get_args

from pipelines import settings as settings_module
from pipelines.commands import words
from pipelines.home import Home
from pipelines.settings import Settings

ASKED_TWICE = 4  # symbols that the fetcher is asked for, each twice


class Failed(RuntimeError):
    """What a system does not do, in a sentence."""


@dataclass(frozen=True)
class Desk:
    home: Home
    settings: Settings


def configuration(desk: Desk) -> str:
    """Every preset gives settings, and a wrong name is refused."""
    from pipelines.presets import Environment, Profile

    presets = [{"environment": one} for one in get_args(Environment)] + [{"profile": one} for one in get_args(Profile)]
    for chosen in presets:
        settings_module.load({"home": str(desk.home.root), **chosen}, environment={})
    try:
        settings_module.load({"gate": {"min_dsrr": 0.9}}, environment={})
    except settings_module.SettingsError:
        return f"{len(presets)} presets load, a wrong name is refused"
    raise Failed("a setting that does not exist was taken")


def parallel_fetcher(desk: Desk) -> str:
    """Symbols side by side from the embedded market over HTTP; what is asked twice is fetched once."""
    from pipelines import sandbox
    from pipelines.vendors.fetcher import ParallelDataFetcher
    from pipelines.vendors.hosts import Hosts

    # A market of its own, in no home: the desk's may be another one, or none.
    sizes = {"small": True, "names": 6, "sessions": 80}
    chosen = settings_module.load({"home": str(desk.home.root / "no-home"), "sandbox": sizes}, environment={})
    market = sandbox.generate(chosen)
    symbols = sorted({one.ticker_on(market.base) for one in market.cast if one.trades_on(market.base)})[:ASKED_TWICE]
    with sandbox.serve(market, market.night_now(0)) as served:
        hosts = Hosts(served.polygon, served.cboe, served.databento, served.key, served.key)
        with ParallelDataFetcher(session=market.sessions[market.base], hosts=hosts) as fetcher:
            tables = [fetcher.get_result(one) for one in fetcher.submit_batch([*symbols, *symbols])]
    if any(not table.num_rows for table in tables):
        raise Failed("a symbol came without bars")
    return f"{len(symbols)} symbols side by side, {sum(table.num_rows for table in tables) // 2:,} minutes"


def data(desk: Desk) -> str:
    """The marts answer as of now."""
    from pipelines.lake import marts

    with marts.connect(desk.home) as connection:
        (count,) = connection.execute("SELECT count(*) FROM daily_bars").fetchone() or (0,)
    if not count:
        raise Failed("there are no daily bars: `nightdesk nightly` brings them")
    return f"{count:,} daily bars"


def predictive_cache(desk: Desk) -> str:
    """The fits that the last judgement used are kept, bit for bit, so that an unchanged night fits nothing."""
    from pipelines.evidence.records import Records

    record = Records(desk.home).judged()
    if record is None:
        raise Failed("nothing was judged yet")
    kept = {sha256(path.read_bytes()).hexdigest() for path in (desk.home.work / "models").glob("*/*") if path.is_file()}
    lost = [name for name, digest in record.content["inputs"]["weights"].items() if digest not in kept]
    if lost:
        raise Failed(f"{', '.join(lost)} of record {record.seq} would have to be fitted again")
    return f"{len(kept)} files of fits, those of record {record.seq} among them"


def signal_generation(desk: Desk) -> str:
    """What serves is loaded as live loads it, and repeats its golden predictions."""
    from models import bundle
    from pipelines.evidence import keys, publish

    serving = publish.check_serving(desk.home)
    if serving is None:
        return "nothing serves, so live stays flat"
    expires = publish.manifest_of(serving).expires
    loaded = bundle.load(serving, keys.trusted(desk.home.keys), 0, min(dt.datetime.now(dt.UTC), expires))
    return f"{loaded.strategy.name} decides as where it was made ({serving.name})"


def evidence(desk: Desk) -> str:
    """Ledger, records and what serves hold; every verdict comes out again from its record."""
    from pipelines.evidence import inventory

    told = {**inventory.verify(desk.home), **inventory.recompute(desk.home)}
    wrong = [f"{name}: {state}" for name, state in told.items() if not state.startswith(("ok", "none yet"))]
    if wrong:
        raise Failed("; ".join(wrong))
    return ", ".join(f"{name} {state}" for name, state in told.items())


def risk_management(desk: Desk) -> str:
    """The limits load, and nobody has thrown the switch."""
    from live.settings import load_limits
    from pipelines.trading import KILL_FILE

    path = desk.home.root / "limits.toml"
    limits = load_limits(path if path.exists() else None)
    if (desk.home.root / KILL_FILE).exists():
        raise Failed("the kill switch is thrown: nothing new is sent until its file is gone")
    return f"limits {'of limits.toml' if path.exists() else 'by default'}, weight {limits.max_weight:.0%}, gross " \
           f"{limits.max_gross:g}"


def live_stream(desk: Desk) -> str:
    """Every row of the journal is told as an event, in order, on a chain that holds."""
    from live.__main__ import _verify as verify
    from pipelines.trading import journal_path

    if not journal_path(desk.home).exists():
        return "nothing was traded yet"
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        verify(journal_path(desk.home))
    return said.getvalue().strip().partition(": ")[2]


SYSTEMS: dict[str, Callable[[Desk], str]] = {
    "configuration": configuration, "parallel fetcher": parallel_fetcher, "data": data,
    "predictive cache": predictive_cache, "signal generation": signal_generation, "evidence": evidence,
    "risk management": risk_management, "live stream": live_stream,
}


def examine(overrides: dict[str, Any]) -> list[dict[str, Any]]:
    """Each system's name, whether it does its work, and what was seen."""
    settings = settings_module.load(overrides, environment=os.environ)
    desk, found = Desk(Home(settings.home), settings), []
    for name, look in SYSTEMS.items():
        try:
            found.append({"system": name, "passed": True, "seen": look(desk)})
        except Exception as problem:  # whatever is wrong with one system, the others are still asked
            told = words.sentence(problem) or f"{type(problem).__name__}: {problem}"
            found.append({"system": name, "passed": False, "seen": told})
    return found


def print_systems(found: list[dict[str, Any]]) -> None:
    for one in found:
        print(f"{'PASS' if one['passed'] else 'FAIL'}  {one['system']:18} {one['seen']}")
    print(f"{sum(one['passed'] for one in found)} of {len(found)} systems pass")
