"""Who may trade at a real venue, and what a person is told where something is missing."""

import datetime as dt
import subprocess
import sys
from pathlib import Path

import pytest

from live.adapters.brokers import ACCOUNT, KEY, SECRET, broker_named
from live.clock import TapeClock
from live.engine import Engine, Terms
from live.journal import Journal
from live.risk import Limits
from models.bundle import Bundle, BundleRefused, current, load
from models.market.costs import CostModel
from pipelines import calendars
from tests.test_live import world
from tests.venues.plain import PlainVenue

ROOT = Path(__file__).resolve().parents[2]
START = calendars.open_at(world.world().coming[0]) - dt.timedelta(hours=1)
TOLD = {KEY: "a-key", SECRET: "a-secret", ACCOUNT: "DU1"}


def bundle(folder: Path, rung: str) -> Bundle:
    published = current(world.publish(folder, rung=rung))
    assert published is not None
    return load(published, [world.PUBLIC], 0, START)


def test_a_strategy_below_canary_gets_no_broker_and_no_engine_on_one(tmp_path: Path) -> None:
    judged = bundle(tmp_path / "shadow", "shadow")
    for name in ("alpaca", "alpaca:paper", "ib", "ccxt:binance"):
        with pytest.raises(BundleRefused, match="rung 'shadow', which trades on paper only"):
            broker_named(name, judged, TOLD)
    terms = Terms("real", Limits(), CostModel.default(), None)
    with Journal(tmp_path / "j.sqlite", ahead=True) as journal:
        venue = PlainVenue(tmp_path / "nobody.sock")
        with pytest.raises(BundleRefused, match="a real venue needs 'canary' or above"):
            Engine(judged, journal, venue, TapeClock(START), terms)
        Engine(bundle(tmp_path / "canary", "canary"), journal, venue, TapeClock(START), terms)


@pytest.mark.parametrize(("name", "told", "sentence"), [
    ("alpaca", {}, f"--broker alpaca needs {KEY} in the environment"),
    ("alpaca:paper", {KEY: "x"}, f"needs {SECRET}"),
    ("ib", {}, f"needs {ACCOUNT}"),
    ("ib:here", TOLD, "give ib:HOST:PORT"),
    ("ccxt:nowhere", TOLD, "CCXT knows no exchange 'nowhere'"),
    ("etrade", TOLD, "no broker 'etrade'; there are paper, alpaca"),
])
def test_what_is_missing_is_said_in_a_sentence(tmp_path: Path, name: str, told: dict[str, str], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        broker_named(name, bundle(tmp_path / "canary", "canary"), told)


MISSING = """
import sys
from importlib.abc import MetaPathFinder

class Hide(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.split(".")[0] in {"alpaca", "ib_async", "ccxt"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Hide())
from live.adapters.alpaca import AlpacaBroker
from live.adapters.ccxt import CcxtBroker
from live.adapters.ib import IbBroker
for make in (lambda: AlpacaBroker({}, "k", "s", paper=True), lambda: IbBroker({}),
             lambda: CcxtBroker("binance", {}, "k", "s")):
    try:
        make()
    except ValueError as problem:
        print(problem)
print(sorted({name.split(".")[0] for name in sys.modules} & {"pandas", "requests", "aiohttp", "httpx"}))
"""


def test_an_adapter_without_its_client_says_what_to_install_and_loads_nothing() -> None:
    ran = subprocess.run([sys.executable, "-c", MISSING], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == [
        "Alpaca needs the package alpaca, which is not installed: pip install 'nightdesk[alpaca]'",
        "Interactive Brokers needs the package ib_async, which is not installed: pip install 'nightdesk[ib]'",
        "An exchange by CCXT needs the package ccxt, which is not installed: pip install 'nightdesk[ccxt]'", "[]"]
