"""The bias price tag: the Sharpe that each customary carelessness would have added to tonight's judgement.

Zero cost is arithmetic on what was judged. Survivors only is decided again with the models there are. Without the purge
and adjusted with hindsight need fits of their own, and are made only for a strategy that was let through, once.
"""

import datetime as dt
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.backtest import Prices, buy_and_hold, judge
from models.market.costs import CostModel
from models.signals.rules import RuleConfig, rule_weights
from models.strategy import StrategyConfig
from models.validation.price_tag import price_tag
from pipelines import durable
from pipelines.digest import json_digest
from pipelines.evidence.judged import JudgedNight
from pipelines.evidence.ledger import Ledger, Trial
from pipelines.home import Home
from pipelines.training import hindsight, variants
from pipelines.training.candidates import TARGET
from pipelines.training.folds import Bench, Fold
from pipelines.training.inputs import Inputs

Floats = NDArray[np.float64]
PROMOTED = ("promote", "propose")  # acts that let a strategy through, or would once a person agrees
KEPT_NIGHTS = 30
PLAIN = {
    "zero_cost": "fills at the mid, no impact, fees or borrow",
    "survivors_only": "only names that still trade when the sample ends",
    "unpurged": "training on labels that end inside the test",
    "hindsight": "prices and universe restated by all that is known at the end, models refitted",
}


@dataclass(frozen=True)
class Bill:
    """What a night's tags are made of."""

    home: Home
    settings: Any
    inputs: Inputs
    night: JudgedNight
    prices: Prices  # reaching one session further than is judged
    now: dt.datetime

    @property
    def window(self) -> Prices:
        return judged_window(self.prices, self.night)

    @property
    def rows(self) -> list[int]:
        """Of the panel, at which was judged."""
        found: list[int] = np.searchsorted(self.inputs.panel.sessions, self.night.sessions).tolist()
        return found

    @property
    def costs(self) -> CostModel:
        return CostModel(**self.night.costs)

    def config(self, at: int) -> StrategyConfig | RuleConfig:
        told = self.night.candidates[at]
        return self.night.strategy(at) if told["kind"] == "candidate" else RuleConfig(**told["config"])

    def bench(self, inputs: Inputs, strategy: StrategyConfig) -> Bench:
        return Bench(self.home, self.settings, inputs, Ledger(self.home.ledger), self.now, strategy)

    def honest(self, at: int) -> Floats:
        return np.ascontiguousarray(self.night.series["excess"][:, at])

    def tag(self, bias: str, at: int, biased: Floats) -> dict[str, Any]:
        found = asdict(price_tag(self.honest(at), biased))
        return {"bias": bias, "plain": PLAIN[bias],
                **{name: float(value) if np.isfinite(value) else None for name, value in found.items()}}


def judged_window(prices: Prices, night: JudgedNight) -> Prices:
    """The judged sessions and the one that closes the last holding."""
    first = int(np.searchsorted(prices.sessions, night.sessions[0]))
    return prices.rows(first, first + len(night.sessions) + 1)


def tonight(bill: Bill, at: int, *, promoted: bool) -> dict[str, Any]:
    """The section `price_tag`. What its inputs have made once is read, not made again."""
    night, key = bill.night, bill.night.candidates[at]["key"]
    told = [night.digest(), key, _code()]
    kept = bill.home.work / "price_tag" / f"{json_digest(told)[:32]}.json"
    at_promotion = bill.home.work / "price_tag" / f"promoted-{key[:32]}.json"
    section = json.loads(kept.read_text()) if kept.exists() else _nightly(bill, at)
    if promoted and "refitted" not in section:
        folds = _walked(bill, at)
        section["refitted"] = {"night": bill.now.date().isoformat(), "tags": list(_refits(bill, at, folds))}
        durable.write_json(at_promotion, section["refitted"], failpoint="price_tag")
    if not kept.exists() or promoted:
        durable.write_json(kept, section, failpoint="price_tag")
        for old in sorted(kept.parent.glob("[0-9a-f]*.json"), key=lambda path: path.stat().st_mtime_ns)[:-KEPT_NIGHTS]:
            old.unlink()
    if "refitted" not in section and at_promotion.exists():
        section = {**section, "refitted": json.loads(at_promotion.read_text())}
    return section


def _nightly(bill: Bill, at: int) -> dict[str, Any]:
    """Zero cost of everything that was judged; survivors only of the strategy in question, the rules and the market."""
    night, window = bill.night, bill.window
    kept = variants.survivors(window)
    dead = np.flatnonzero(window.tradable.any(axis=0) & ~kept)
    idle = night.cash_rate_session
    free = {number: bill.tag("zero_cost", number, np.ascontiguousarray(night.series["gross"][:, number] - idle))
            for number in range(len(night.candidates))}
    alive: dict[int, dict[str, Any]] = {}
    chosen = list(dict.fromkeys([at, *night.of_kind("baseline")]))
    if len(dead):
        _write_down(bill, "survivors_only", [night.candidates[number]["key"] for number in chosen])
        less = variants.among(bill.inputs, kept)
        for number in chosen:
            config = bill.config(number)
            weights = (rule_weights(config, less.panel, bill.rows) if isinstance(config, RuleConfig)
                       else variants.redecided(config, _walked(bill, number), less))
            alive[number] = bill.tag("survivors_only", number, _excess(bill, window, weights))
    else:
        alive = {number: bill.tag("survivors_only", number, bill.honest(number)) for number in chosen}
    market = price_tag(night.benchmark - idle, buy_and_hold(replace(window, tradable=window.tradable & kept)) - idle)
    return {
        "strategy": night.candidates[at]["name"], "key": night.candidates[at]["key"],
        "first": str(night.sessions[0]), "last": str(night.sessions[-1]), "sessions": len(night.sessions),
        "names": int(window.tradable.any(axis=0).sum()), "names_gone": len(dead),
        "tags": [free[at], alive[at]],
        "others": [{"name": told["name"], "kind": told["kind"], "zero_cost": free[number]["added"],
                    "survivors_only": alive[number]["added"] if number in alive else None}
                   for number, told in enumerate(night.candidates)],
        "buy_and_hold": {name: float(value) if np.isfinite(value) else None for name, value in asdict(market).items()},
    }


def _walked(bill: Bill, at: int) -> dict[str, list[Fold]]:
    """The folds that were judged, from the home: no fit is made."""
    from pipelines.training.families import FAMILIES

    config = bill.config(at)
    assert isinstance(config, StrategyConfig)
    bench = bill.bench(bill.inputs, config)
    return {name: bench.folds(name) for name in FAMILIES}


def _refits(bill: Bill, at: int, folds: dict[str, list[Fold]]) -> Iterator[dict[str, Any]]:
    config = bill.config(at)
    assert isinstance(config, StrategyConfig)
    key = bill.night.candidates[at]["key"]

    def unpurged() -> Floats:
        loose = variants.refitted(bill.bench(bill.inputs, config), folds, purge=False)
        return _excess(bill, bill.window, variants.redecided(config, loose, bill.inputs))

    def adjusted() -> Floats:
        sessions, raw = hindsight.read_bars(bill.home, bill.now, bill.inputs.panel.names)
        seen, prices = hindsight.restated(bill.inputs, sessions, raw)
        again = variants.refitted(bill.bench(seen, config), folds, purge=True)
        return _excess(bill, judged_window(prices, bill.night), variants.redecided(config, again, seen))

    ways: dict[str, Callable[[], Floats]] = {"unpurged": unpurged, "hindsight": adjusted}
    for bias, way in ways.items():
        _write_down(bill, bias, [key])
        yield bill.tag(bias, at, way())


def _excess(bill: Bill, window: Prices, weights: Floats) -> Floats:
    return np.asarray(judge(window, weights, bill.costs).excess)


def _write_down(bill: Bill, bias: str, keys: list[str]) -> None:
    """A biased variant is scored too: a row of its own kind, outside N, from which nothing can be promoted."""
    Ledger(bill.home.ledger).register_many(
        [Trial("diagnostic", TARGET, key, bill.settings.seed, {"bias": bias, "data": bill.night.data_digest})
         for key in keys], bill.now)


def _code() -> str:
    """Digest of what makes a tag: other code is another tag."""
    told = sha256()
    for module in (__file__, variants.__file__, hindsight.__file__):
        told.update(Path(module).read_bytes())
    return told.hexdigest()
