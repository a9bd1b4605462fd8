"""The sections that settings have, with their defaults: what nightdesk.toml, the environment and --set may say."""

import datetime as dt
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _listed(value: Any) -> Any:
    """`AAPL,MSFT` from the environment or an option, a list from a file."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class Sandbox(Section):
    """The embedded market. `signal` is the strength of the planted effect: a preset's name or a factor. `scale` makes
    it 600 names over ten years and `small` 20 over three, unless sizes are named beside it. `incidents` says whether a
    few ugly things happen in it or all kinds, as often as in a real market."""

    scale: bool = Field(default=False, exclude=True)  # the sizes it amounts to are what a home remembers
    small: bool = Field(default=False, exclude=True)
    names: int = Field(default=80, ge=4, le=600)
    sessions: int = Field(default=1260, ge=80)
    nights: int = Field(default=20, ge=0)
    signal: Literal["strong", "modest", "zero"] | float = "strong"
    chain_sessions: int = 1260
    tick_sessions: int = 20
    minute_sessions: int = Field(default=20, ge=1)
    roots: Annotated[tuple[Literal["ES", "NQ"], ...], BeforeValidator(_listed)] = ("ES", "NQ")
    incidents: Literal["few", "many"] = "many"


class Faults(Section):
    """What the embedded vendors do wrong on demand: `503@/grouped/*2, html@_SPX` spoils the first answers to each
    question with that part in it. No part of what a home is: the night after, the same market is well again."""

    schedule: str = ""
    slow_s: float = Field(default=1.0, ge=0)


_RATE = r"[1-9]\d*/(second|minute)"


class Rates(Section):
    """How often each vendor is asked at most. Polygon's free plan allows 5/minute."""

    polygon: str = Field(default="80/second", pattern=_RATE)
    cboe: str = Field(default="1/second", pattern=_RATE)
    cme: str = Field(default="20/second", pattern=_RATE)


class Coverage(Section):
    """What `--source vendors` is asked for. No symbols means the whole market, one body a day; minute bars are for
    named symbols, or come as flat files. An undocumented source is asked by those who named it in `accept_terms`:
    `cboe` its delayed quotes, histories and statistics, `cme` the exchange's own site."""

    symbols: Names = ()
    chains: Names = ("_SPX",)
    roots: Names = ("ES",)
    schemas: Names = ()  # of these roots, each charged for; none: trades, and beside them what spend.max_usd covers
    start: dt.date | None = None
    minute_sessions: int = Field(default=0, ge=0)
    flatfiles: Names = ()  # us_stocks_sip/day_aggs_v1, us_stocks_sip/minute_aggs_v1, us_indices/day_aggs_v1
    snapshots: Names = ()  # option chains as Polygon pictures them: I:SPX, AAPL
    indices: Names = ()  # daily levels from Polygon: I:VIX
    cboe_indices: Names = ()  # … and the exchange's own history: VIX
    statistics: bool = False  # Cboe's option volumes of the day
    companies: bool = True  # what each company does (its sector), one question a company
    details: Names = ()  # roots whose volume and open interest by month CME tells
    accept_terms: Names = ()


class Asking(Section):
    """How hard vendors are asked: questions side by side, and how often each is tried."""

    workers: int = Field(default=8, ge=1)
    attempts: int = Field(default=6, ge=1)


class Alerts(Section):
    """Who hears of a night that failed: always the home's `alerts.jsonl`, and this address where one is given."""

    webhook: str = Field(default="", repr=False, exclude=True)  # such addresses are secrets


class Borrow(Section):
    """Shorts only where borrowable: a CSV or JSON list of names (docs/vendors.md). None: whatever is tradable."""

    file: Path | None = None


class Spend(Section):
    """A night whose vendors would charge more than this is refused before the first charged question."""

    max_usd: float = Field(default=10.0, ge=0)


class Retention(Section):
    """How many of each `prune` keeps, newest first, beside whatever a record, a bundle or tonight's story names."""

    fits_nights: int = Field(default=30, ge=1)
    drift_pages: int = Field(default=30, ge=1)
    mart_generations: int = Field(default=3, ge=1)
    panels: int = Field(default=3, ge=1)


class Quarantine(Section):
    """When a body is refused whole: more than this share and at least so many bad rows."""

    max_bad_share: float = 0.05
    min_bad_rows: int = 10


class Regimes(Section):
    """What models/hmm/config.py lets be chosen; another choice is another trial."""

    median: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()
    naming: Literal["extremes", "corners"] = "corners"
    restarts: int = Field(default=0, ge=0, le=20)


class Trees(Section):
    """What models/gbm/config.py lets be chosen of the nightly's cross-section."""

    weights: Literal["equal", "unique"] = "equal"
    monotone: dict[str, Literal[-1, 1]] = {}
    interactions: tuple[tuple[str, ...], ...] = ()


def _groups(told: Any) -> Any:
    """Lists of instruments; a word is a file whose tables list them by name, as a night writes one of sectors."""
    if not isinstance(told, str) or not told or told.lstrip().startswith("["):
        return told
    try:
        document = tomllib.loads(Path(told).expanduser().read_text())
    except (OSError, ValueError) as problem:
        raise ValueError(f"{told} cannot be read as a file of groups: {problem}") from None
    return [names for table in document.values() if isinstance(table, dict) for names in table.values()]


class Graph(Section):
    """What models/gnn/config.py lets be chosen. `groups` are lists of instruments (sectors, chains of supply) or a file
    of such lists."""

    encoder: Literal["none", "lstm"] = "none"
    refresh: Literal["daily", "weekly"] = "daily"
    alike: float | None = Field(default=None, gt=0.0, lt=1.0)
    granger: bool = False
    groups: Annotated[tuple[tuple[str, ...], ...], BeforeValidator(_groups)] = ()
    device: Literal["cpu", "auto"] = "cpu"


class Training(Section):
    """A family expands what it is trained on, unless its window says how many sessions it looks back at most."""

    first_train_sessions: int = 252
    reserve_share: float = Field(default=0.0, ge=0.0, le=0.5)  # of the judged sessions: kept from every search
    gbm_window_sessions: int | None = Field(default=None, ge=20)
    hmm_window_sessions: int | None = Field(default=None, ge=20)
    gnn_window_sessions: int | None = Field(default=None, ge=20)
    min_names: int = Field(default=10, ge=2)  # of a real market; a sandbox is as narrow as was asked for
    step_sessions: int = 63
    slow_step_sessions: int = 126
    optuna_trials: int = 10
    optuna_prune: bool = False
    target_5m: bool = False  # also trees on minutes: does a name rise by so much within five of them?
    target_5m_rise: float = Field(default=0.005, gt=0.0, lt=0.2)
    boost_rounds: int = 100
    gnn_epochs: int = 15


class Gate(Section):
    """`preset` names the bars (`nightdesk models policy`); what is set beside it takes the place of one of them."""

    preset: Literal["default", "seeds"] = "default"
    min_dsr: float = Field(default=0.95, gt=0.0, lt=1.0)
    max_loss_probability: float = 0.20
    max_spa_p: float = 0.05
    cost_stress: float = 2.0
    min_trials: int = 10
    min_sharpe: float | None = None
    min_third_sharpe: float | None = None


class Approval(Section):
    """Rungs that a strategy reaches only when a person said so: until then its promotion waits as a proposal."""

    rungs: Annotated[tuple[Literal["shadow", "canary", "champion"], ...], BeforeValidator(_listed)] = ()


class Strategies(Section):
    """Rules that compete with the learned strategies: each is one more trial in N, and may be promoted."""

    rules: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()

    @field_validator("rules")
    @classmethod
    def _known(cls, rules: tuple[str, ...]) -> tuple[str, ...]:
        from models.signals.chosen import chosen

        for name in rules:
            chosen(name)
        return tuple(dict.fromkeys(rules))


class Publish(Section):
    """`mirror`: an address (s3://…, file://…) that is kept equal to what serves here, for runners on other machines."""

    mirror: str | None = None


class LeakGate(Section):
    """`planted` adds a feature that looks ahead, to see the gate catch it."""

    decision_times: int = 2
    planted: bool = False


class Features(Section):
    """Where Feast serves the newest values from: `sqlite`, a file in the home, or `redis://host:port/db`, a database of
    its own for each home; its password, if any, is NIGHTDESK_REDIS_PASSWORD."""

    online: str = Field(default="sqlite", pattern=r"^(sqlite|redis://.+)$")
