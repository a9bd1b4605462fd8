"""A judgement that is there already stands for tonight only with the champion that tonight would judge beside it."""

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from models.strategy import StrategyConfig
from pipelines import settings as settings_module
from pipelines.evidence import keys
from pipelines.evidence.judged import SERIES, JudgedNight, stands_beside
from pipelines.evidence.records import Records
from pipelines.home import Home
from pipelines.training.candidates import candidates
from tests import OWN
from tests.test_pipelines.training_home import small_inputs

NOW = dt.datetime(2025, 7, 1, 6, tzinfo=dt.UTC)
SETTINGS = settings_module.load({}, environment=OWN)
INPUTS = small_inputs(sessions=80)
KEYS = [one.key for one in candidates(SETTINGS, INPUTS.panel.features)]
LEARNED = [one.config for one in candidates(SETTINGS, INPUTS.panel.features) if isinstance(one.config, StrategyConfig)]


def judged(keys_of: list[str], carried: list[int], best: int = 1) -> JudgedNight:
    none = np.zeros((0, len(keys_of)))
    return JudgedNight(np.zeros(0, "datetime64[D]"), (), tuple({"key": key} for key in keys_of),
                       dict.fromkeys(SERIES, none), np.zeros(0), 0.0, best, np.zeros((0, 0), np.int32), "", {},
                       capacity={keys_of[at]: [] for at in carried})


def let_through(folder: Path, config: StrategyConfig | None) -> Home:
    home = Home(folder).prepare()
    if config is not None:
        content = {"act": "promote", "slot": "daily-equity", "strategy": config.name, "key": config.key(),
                   "config": json.loads(config.to_json())}
        Records(home).append(content, {}, NOW, keys.open_or_create(home.keys))
    return home


def test_whoever_holds_the_slot_must_have_been_judged_as_tonight(tmp_path: Path) -> None:
    foreign = replace(LEARNED[0], name="foreign", hold_sessions=9)
    nobody, best, other, stranger = (let_through(tmp_path / str(number), config) for number, config in
                                     enumerate((None, LEARNED[1], LEARNED[0], foreign)))
    own, beside = judged(KEYS, [1]), judged(KEYS, [0, 1])
    with_stranger = judged([*KEYS, foreign.key()], [1, len(KEYS)])
    stands = {home: [stands_beside(home, SETTINGS, INPUTS, night) for night in (own, beside, with_stranger)]
              for home in (nobody, best, other, stranger)}
    assert stands[nobody] == stands[best] == [True, False, False]
    assert stands[other] == [False, True, False] and stands[stranger] == [False, False, True]
    assert not stands_beside(nobody, SETTINGS, INPUTS, judged(KEYS[:-1], [1]))  # a trial less
