"""Every candidate's judged returns, saved once: what the verdict is reached on, and what its record keeps."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import tensors
from models.backtest import Prices, active_returns, buy_and_hold, judge
from models.manifest import canonical
from models.market.costs import CostModel
from models.options import told as told_of
from models.strategy import StrategyConfig
from pipelines import durable
from pipelines.digest import json_digest
from pipelines.evidence.records import Record, Records
from pipelines.home import Home

Floats = NDArray[np.float64]
SLOT = "daily-equity"
RETURNS, TOLD = "returns.safetensors", "judged.json"
SERIES = ("active", "active_stressed", "excess", "net", "gross", "cost", "turnover", "net_exposure")


@dataclass(frozen=True)
class JudgedNight:
    """Columns of the series are candidates; `shares` are those of the best candidate."""

    sessions: NDArray[np.datetime64]
    instruments: tuple[str, ...]
    candidates: tuple[dict[str, Any], ...]  # name, key, kind, config as JSON
    series: dict[str, Floats]  # each (T, candidates)
    benchmark: Floats  # (T,) buy-and-hold
    cash_rate_session: float
    best: int
    shares: NDArray[np.int32]  # (T, instruments)
    data_digest: str
    costs: dict[str, Any]
    regimes: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))  # (T,) believed, as a number
    states: tuple[str, ...] = ()  # what the numbers mean
    capacity: dict[str, list[list[float]]] = field(default_factory=dict)  # key -> [capital in USD, active Sharpe]

    def column(self, key: str) -> int:
        return next(at for at, one in enumerate(self.candidates) if one["key"] == key)

    def of_kind(self, kind: str) -> list[int]:
        return [at for at, one in enumerate(self.candidates) if one["kind"] == kind]

    def strategy(self, at: int) -> StrategyConfig:
        return StrategyConfig.from_json(json.dumps(self.candidates[at]["config"]))

    def to_files(self) -> dict[str, bytes]:
        arrays: dict[str, NDArray[Any]] = {**self.series, "benchmark": self.benchmark, "shares": self.shares,
                                           "regimes": self.regimes,
                                           "sessions": self.sessions.astype("datetime64[D]").astype(np.int64)}
        told = {"instruments": self.instruments, "candidates": self.candidates, "best": self.best,
                "cash_rate_session": self.cash_rate_session, "data_digest": self.data_digest, "costs": self.costs,
                "states": self.states, "capacity": self.capacity}
        return {RETURNS: tensors.write(arrays), TOLD: canonical(told)}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> "JudgedNight":
        told, arrays = json.loads(files[TOLD]), tensors.read(files[RETURNS])
        return cls(arrays["sessions"].astype("datetime64[D]"), tuple(told["instruments"]), tuple(told["candidates"]),
                   {name: arrays[name] for name in SERIES}, arrays["benchmark"], told["cash_rate_session"],
                   told["best"], arrays["shares"], told["data_digest"], told["costs"],
                   arrays.get("regimes", np.zeros(0, np.int32)), tuple(told.get("states", ())),
                   told.get("capacity", {}))  # records of before know neither

    def digest(self) -> str:
        files = self.to_files()
        return json_digest({name: sha256(files[name]).hexdigest() for name in files})

    def save(self, home: Home) -> None:
        for name, data in self.to_files().items():
            durable.write_atomic(home.work / "judgement" / name, data, failpoint="judgement")

    @classmethod
    def load(cls, home: Home) -> "JudgedNight":
        return cls.from_files({name: (home.work / "judgement" / name).read_bytes() for name in (RETURNS, TOLD)})


def strategy_of(record: Record) -> StrategyConfig | None:
    """What a record let through, or None where today's code would read its configuration as another one."""
    try:
        config = StrategyConfig.from_json(json.dumps(record.content["config"]))
    except (TypeError, KeyError, ValueError):
        return None
    return config if config.key() == record.content["key"] else None


def judge_all(walked: Any, prices: Prices, costs: CostModel, stress: float) -> JudgedNight:
    """`walked` is what walking forward decided (`pipelines.training.walk.Walked`); prices reach one session further."""
    from models.validation.gate import best

    rows = np.searchsorted(prices.sessions, walked.sessions)
    if not np.array_equal(rows, np.arange(rows[0], rows[0] + len(rows))):
        raise ValueError("the judged sessions are not consecutive sessions of the marts' bars")
    window = prices.rows(int(rows[0]), int(rows[-1]) + 2)
    benchmark = buy_and_hold(window)
    excess_of_market = benchmark - costs.cash_rate_session
    columns: dict[str, list[Floats]] = {name: [] for name in SERIES}
    held = []
    for one in walked.candidates:
        plain = judge(window, walked.weights[one.name], costs)
        dear = judge(window, walked.weights[one.name], costs.stressed(stress))
        held.append(plain.shares)
        for name in SERIES[2:]:
            columns[name].append(getattr(plain, name))
        for name, result in (("active", plain), ("active_stressed", dear)):
            columns[name].append(active_returns(result.excess, excess_of_market, result.net_exposure))
    series = {name: np.ascontiguousarray(np.column_stack(parts)) for name, parts in columns.items()}
    told = tuple({"name": one.name, "key": one.key, "kind": one.kind, "config": told_of(one.config)}
                 for one in walked.candidates)
    eligible = [at for at, one in enumerate(walked.candidates) if one.kind == "candidate"]
    eligible = eligible or list(range(len(walked.candidates)))  # a narrow market has rules only, which nobody promotes
    chosen = eligible[best(series["active"][:, eligible])]
    return JudgedNight(np.asarray(walked.sessions, "datetime64[D]"), walked.names, told, series, benchmark,
                       costs.cash_rate_session, chosen, held[chosen].astype(np.int32), walked.data_digest,
                       asdict(costs), walked.regimes.argmax(axis=1).astype(np.int32), tuple(walked.states))


def judge_night(home: Home, settings: Any, inputs: Any, now: dt.datetime) -> tuple[JudgedNight, Any]:
    """Tonight's candidates, and the champion's configuration where it is not among them. Also returns what walked."""
    from pipelines.evidence import reserve
    from pipelines.evidence.ledger import Ledger
    from pipelines.evidence.policy import policy_of
    from pipelines.training.candidates import Candidate
    from pipelines.training.prices import read_prices
    from pipelines.training.walk import walk_forward

    ledger = Ledger(home.ledger)
    walked = walk_forward(home, settings, inputs, ledger, now)
    champion = Records(home).champion(SLOT)
    config = None if champion is None else strategy_of(champion)
    if config is not None and config.key() not in {one.key for one in walked.candidates}:
        own = walk_forward(home, settings, inputs, ledger, now, (Candidate("candidate", config),))
        walked = replace(walked, candidates=(*walked.candidates, *own.candidates),
                         weights={**walked.weights, **own.weights})
    prices = read_prices(home, now, inputs.panel)
    whole, walked = walked, reserve.sealed(home, settings, ledger, walked, now)
    if walked is not whole:
        reserve.keep(home, judge_all(whole, prices, CostModel.default(), 1.0), len(walked.rows))
    night = judge_all(walked, prices, CostModel.default(), policy_of(settings).cost_stress)
    carried = {night.best} if champion is None or config is None else {night.best, night.column(config.key())}
    night = replace(night, capacity={night.candidates[at]["key"]: _capacity(night, walked, prices, at)
                                     for at in sorted(carried)})
    night.save(home)
    return night, walked


def looked_at(home: Home) -> list[Any]:
    """What a judgement hangs on beside its inputs and settings: the trials so far, and what is held in reserve."""
    from pipelines.evidence import reserve
    from pipelines.evidence.ledger import Ledger
    from pipelines.training.candidates import TARGET

    ledger = Ledger(home.ledger)
    return [ledger.n(TARGET), ledger.rows("reserve"), reserve.answered(home)]


def stands_beside(home: Home, settings: Any, inputs: Any, night: JudgedNight) -> bool:
    """Whether a judgement has what it would have tonight, when it is another's turn to hold the slot or nobody's."""
    from pipelines.training.candidates import candidates

    champion = Records(home).champion(SLOT)
    config = None if champion is None else strategy_of(champion)
    own = [one.key for one in candidates(settings, inputs.panel.features)]
    held = [] if config is None else [config.key()]
    judged = [one["key"] for one in night.candidates]
    return judged == list(dict.fromkeys([*own, *held])) and set(night.capacity) == {judged[night.best], *held}


def _capacity(night: JudgedNight, walked: Any, prices: Prices, at: int) -> list[list[float]]:
    from pipelines.evidence.capacity import sharpe_by_capital

    first = int(np.searchsorted(prices.sessions, night.sessions[0]))
    window = prices.rows(first, first + len(night.sessions) + 1)
    return sharpe_by_capital(window, walked.weights[night.candidates[at]["name"]],
                             night.benchmark - night.cash_rate_session, CostModel(**night.costs))
