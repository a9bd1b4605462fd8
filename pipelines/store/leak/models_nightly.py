"""The night's own look at its models: each night one fold of one family is learnt again from what was known when it
began, by the night's own path, and bytes and scores must be those that were judged."""

import datetime as dt
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.strategy import StrategyConfig
from pipelines.digest import json_digest
from pipelines.evidence.ledger import Ledger
from pipelines.home import Home
from pipelines.settings import Settings
from pipelines.store.leak.models import Known, ModelFinding, Told, model_check
from pipelines.training.candidates import TARGET, strategies
from pipelines.training.families import FAMILIES, family
from pipelines.training.folds import Bench, Fold
from pipelines.training.inputs import Inputs
from pipelines.training.walk import Walked

Floats = NDArray[np.float64]
SECTION = "model_leak"
ELSEWHERE = ("its fold, learnt again from what was known when it began, is another model, whatever comes later: the "
             "weights that were judged were fitted on other rows, in another way, or elsewhere")


def drawn(walked: Walked, seed: int, day: dt.date) -> tuple[str, Fold]:
    """Tonight's family, in turns, and one of its folds."""
    ordinal = day.toordinal()
    fitted = [name for name in FAMILIES if name in walked.folds]  # of a narrow market the regimes alone
    name = fitted[ordinal % len(fitted)]
    folds = walked.folds[name]
    return name, folds[int(np.random.default_rng([seed, ordinal]).integers(len(folds)))]


def known_at(inputs: Inputs, row: int, told: Floats | None = None) -> Inputs:
    """Nothing that was learnt after the decision at `row`: no later session, no label that its own open closes. `told`
    are the returns as the marts answer for that decision; else those that the night's inputs say were known."""
    returns = (inputs.as_known(row) if told is None else told)[: row + 1].copy()
    returns[max(0, row - 1) :] = np.nan
    return Inputs(inputs.panel.upto(row + 1), returns)


def _returns_of(home: Home, inputs: Inputs, row: int) -> Floats | None:
    """From the marts, asked as of the decision at `row`; None in a home that has none."""
    from pipelines.store.frame import decision_time
    from pipelines.training.prices import label_returns, read_prices

    if not (home.marts / "current").exists():
        return None
    panel = inputs.panel.upto(row + 1)
    return label_returns(read_prices(home, decision_time(panel.sessions[row].astype("datetime64[D]").item()), panel),
                         panel)


def learn_again(home: Home, settings: Settings, inputs: Inputs, walked: Walked, now: dt.datetime, name: str,
                fold: Fold) -> list[dict[str, str]]:
    """What differs, in the words of the feature gate's findings; nothing, if all is well."""
    begin = int(fold.test[0])
    strategy = next((one.config for one in walked.candidates if isinstance(one.config, StrategyConfig)),
                    strategies(settings, inputs.panel.features)[0])
    then = known_at(inputs, begin, _returns_of(home, inputs, begin))
    ledger = Ledger(home.ledger)
    training, config = Bench(home, settings, then, ledger, now, strategy).at(name, begin)
    data = family(name).fit(training, config, settings.seed, None)
    judged = walked.regimes if name == "hmm" else walked.raw[name]
    scores = family(name).score(family(name).load(data), then.panel, begin)
    found = []
    if data != fold.fitted.data:
        found.append("bytes")
    if not np.array_equal(scores, judged[begin - int(walked.rows[0])], equal_nan=True):
        found.append("scores")
    if not found:
        return []
    day, night = str(inputs.panel.sessions[begin]), _Night(home, settings, ledger, now, strategy, name, begin)
    known = Known(inputs.panel, inputs.as_known(begin), strategy.horizon)
    blamed = told(model_check(night, known, [begin], seed=settings.seed), f"fold {fold.number + 1}")
    why = blamed[0] if blamed else {"detector": "truncate", "reason": ELSEWHERE, "input": "the weights themselves"}
    return [{**why, "feature": f"{name} model ({part})", "entity": f"fold {fold.number + 1}", "first_bad_time": day,
             "decision_time": day} for part in found]


def told(found: Iterable[ModelFinding], entity: str) -> list[dict[str, str]]:
    """Findings of models in the words of the feature gate's."""
    return [{"feature": one.what, "entity": entity, "first_bad_time": one.first_bad_time,
             "decision_time": one.decision_time, "detector": one.detector, "input": one.input, "reason": one.reason}
            for one in found]


@dataclass(frozen=True)
class _Night:
    """The night's own way to one fold, as a learner whose knowledge can be altered: what moves it is to blame."""

    home: Home
    settings: Settings
    ledger: Ledger
    now: dt.datetime
    strategy: StrategyConfig
    name: str
    begin: int

    def splits(self, known: Known, row: int) -> list[Any]:
        return []  # the night's own, which are purged where they are made

    def tell(self, known: Known, row: int) -> Iterator[Told]:
        inputs = Inputs(known.panel, known.returns)
        bench = Bench(self.home, self.settings, inputs, self.ledger, self.now, self.strategy)
        training, config = bench.at(self.name, self.begin)
        yield Told(f"{self.name} model", self.begin, family(self.name).fit(training, config, self.settings.seed, None),
                   fitted=True)


def nightly(home: Home, settings: Settings, inputs: Inputs, walked: Walked, now: dt.datetime) -> dict[str, Any]:
    """Tonight's section, which the gate reads; the answer of before where the very same was asked before."""
    name, fold = drawn(walked, settings.seed, now.date())
    asked = json_digest([walked.data_digest, name, fold.number, fold.fitted.digest])
    before = home.read_section(SECTION)
    if before.get("asked") == asked:
        return before
    begun = time.perf_counter()
    detail = {"leak_refit": name, "fold": fold.number + 1, "model": fold.fitted.digest, "asked": asked}
    Ledger(home.ledger).register("diagnostic", TARGET, fold.fitted.digest, settings.seed, detail, now)
    found = learn_again(home, settings, inputs, walked, now, name, fold)
    section = {"asked": asked, "passed": not found, "family": name, "fold": fold.number + 1,
               "session": str(inputs.panel.sessions[int(fold.test[0])]), "findings": found,
               "seconds": round(time.perf_counter() - begun, 2)}
    home.write_section(SECTION, section)
    return section
