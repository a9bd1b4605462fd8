"""The shape of every document that the API answers with, for its OpenAPI and for whoever writes a client."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, RootModel

Number = float | Literal["inf", "-inf"] | None  # JSON has no infinities; what is unknown is null


class Document(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Problem(Document):
    """Why a request was not answered."""

    detail: str


class Where(Document):
    where: list[str]
    what: str


class Malformed(Document):
    """What of a request could not be understood, and where it stands."""

    detail: list[Where]


class KillState(Document):
    thrown: bool
    mode: Literal["halt", "flatten"] | None


class Event(Document):
    kind: str
    at: str
    session: str | None
    text: str


class Head(Document):
    rows: int
    head: str


class Process(Document):
    """The runner's own process; null where another process trades."""

    memory_mb: float
    cycle_p50_ms: float | None
    cycle_p99_ms: float | None
    feed_silent_s: float | None


class Status(Document):
    state: Literal["ACTIVE", "REDUCING", "HALTED"]
    state_reason: str
    kill: KillState
    session: str | None
    as_of: str | None
    open: bool
    decision_id: str | None
    equity: Number
    pnl: Number
    costs: Number
    drawdown: Number
    positions: int
    orders: int
    fills: int
    refused: int
    journal: Head
    process: Process | None
    events: list[Event]


class Position(Document):
    instrument_id: str
    symbol: str
    shares: int
    price: Number
    priced: str
    value: Number
    weight: Number
    session_pnl: Number


class Session(Document):
    session: str
    start_equity: Number
    equity: Number
    pnl: Number
    costs: Number
    trade_cost: Number
    borrow: Number
    interest: Number
    dividends: Number
    orders: int
    fills: int
    refused: int
    state: str


class Pnl(Document):
    capital_usd: float
    sessions: list[Session]
    total_pnl: Number
    total_costs: Number


class BundleRef(Document):
    digest: str
    seq: int
    folder: str


class Name(Document):
    instrument_id: str
    symbol: str
    order_id: str | None
    rank: int | None
    gbm: Number
    gnn: Number
    score: Number
    weights: Number
    wanted: Number
    reference: Number
    held: int
    reason: str
    outcome: str


class Decision(Document):
    decision_id: str
    session: str
    decided_at: str
    state: str
    equity: Number
    regime: dict[str, Number]
    bundle: BundleRef
    features_as_judged: bool | None
    names: list[Name]


class Limit(Document):
    limit: str
    value: Number
    threshold: float
    unit: Literal["share", "count"]
    used: Number


class Strategy(BaseModel):
    name: str


class Bundle(Document):
    seq: int
    digest: str
    folder: str
    taken_at: str
    strategy: Strategy
    features: list[tuple[str, int]]


class Thrown(Document):
    thrown: bool
    mode: Literal["halt", "flatten"]
    journaled: bool
    file: str


class Passport(BaseModel):
    """Everything behind one order or decision; `recomputed_equal` is the verdict of the recomputation."""

    id: str
    kind: Literal["order", "decision"]
    decision_id: str
    recomputed_equal: bool
    differences: list[str]


class Virtual(Document):
    decision_id: str
    session: str
    instrument_id: str
    symbol: str
    kind: str
    shares: int
    why: str
    score: Number
    entry: Number
    exit: Number
    pnl: Number
    R: Number
    mfe_R: Number
    mae_R: Number
    outcome: str


class ShadowRun(Document):
    session: str
    bundle: BundleRef
    strategy: dict[str, str]
    decision_id: str
    pnl: Number
    costs: Number
    champion_pnl: Number
    agreement: Number


class Signals(Document):
    """Signals that were not traded, and challengers, with what either would have made."""

    not_traded: list[Virtual]
    shadows: list[ShadowRun]


class Alert(Document):
    kind: str
    severity: Literal["info", "warning", "critical"]
    text: str
    at: str
    key: str


class Alerts(RootModel[list[Alert]]):
    """What a person was told lately, newest first."""


class Positions(RootModel[list[Position]]):
    """What is held, largest long first."""


class Decisions(RootModel[list[Decision]]):
    """The newest decisions, newest first."""


class LimitsUsed(RootModel[list[Limit]]):
    """Every limit that is set."""


class MaybeBundle(RootModel[Bundle | None]):
    """The bundle that was last taken up; null before the first."""
