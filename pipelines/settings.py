"""One reader of environment and files. Order: defaults, nightdesk.toml, NIGHTDESK_* variables, the command line."""

import copy
import datetime as dt
import difflib
import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from pipelines import presets
from pipelines.settings_sections import (
    Alerts,
    Approval,
    Asking,
    Borrow,
    Coverage,
    Faults,
    Features,
    Gate,
    Graph,
    LeakGate,
    Publish,
    Quarantine,
    Rates,
    Regimes,
    Retention,
    Sandbox,
    Section,
    Spend,
    Strategies,
    Training,
    Trees,
)


class SettingsError(ValueError):
    """A setting that cannot be understood, with the nearest right name where there is one."""


class Settings(Section):
    home: Path = Path(".nightdesk")
    source: str = "sandbox"
    seed: int = 7
    now: dt.datetime | None = None
    threads: int = Field(default=2, ge=1)
    environment: presets.Environment | None = None
    profile: presets.Profile = "balanced"
    sandbox: Sandbox = Sandbox()
    faults: Faults = Faults()
    coverage: Coverage = Coverage()
    rates: Rates = Rates()
    asking: Asking = Asking()
    alerts: Alerts = Alerts()
    spend: Spend = Spend()
    borrow: Borrow = Borrow()
    retention: Retention = Retention()
    quarantine: Quarantine = Quarantine()
    training: Training = Training()
    hmm: Regimes = Regimes()
    gbm: Trees = Trees()
    gnn: Graph = Graph()
    gate: Gate = Gate()
    approval: Approval = Approval()
    strategies: Strategies = Strategies()
    publish: Publish = Publish()
    features: Features = Features()
    leak: LeakGate = LeakGate()


def _refuse_unknown(values: Mapping[str, Any], model: type[BaseModel], where: str) -> None:
    for key, value in values.items():
        field = model.model_fields.get(key)
        if field is None:
            near = difflib.get_close_matches(key, model.model_fields, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else f"; known: {', '.join(model.model_fields)}"
            raise SettingsError(f"unknown setting '{key}' in {where}{hint}")
        kind = field.annotation
        if isinstance(value, Mapping) and isinstance(kind, type) and issubclass(kind, BaseModel):
            _refuse_unknown(value, kind, f"{where} [{key}]")


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """NIGHTDESK_SEED=7, NIGHTDESK_SANDBOX__SIGNAL=zero."""
    values: dict[str, Any] = {}
    for name, text in environment.items():
        if not name.startswith("NIGHTDESK_") or name in RESERVED:
            continue
        section, _, key = name.removeprefix("NIGHTDESK_").lower().partition("__")
        if key:
            values.setdefault(section, {})[key] = text
        else:
            values[section] = text
    return values


# Read elsewhere, and no settings: the tests' sample folder and failpoint, what the bench reads, the folder that dbt
# reads facts from, and the runner's secrets and addresses.
RESERVED = {"NIGHTDESK_SAMPLES", "NIGHTDESK_FAILPOINT", "NIGHTDESK_CONFIG", "NIGHTDESK_FACTS", "NIGHTDESK_MARTS",
            "NIGHTDESK_FEAST", "NIGHTDESK_PEERS", "NIGHTDESK_BENCH_DATA", "NIGHTDESK_REDIS_PASSWORD",
            "NIGHTDESK_SMTP_PASSWORD", "NIGHTDESK_DISCORD_WEBHOOK", "NIGHTDESK_ALERT_WEBHOOK", "NIGHTDESK_BROKER_KEY",
            "NIGHTDESK_BROKER_SECRET", "NIGHTDESK_BROKER_PASSWORD", "NIGHTDESK_BROKER_ACCOUNT",
            "NIGHTDESK_POLYGON_SOCKET", "NIGHTDESK_POLYGON_REST", "NIGHTDESK_DATABENTO_HOST",
            "NIGHTDESK_DATABENTO_PORT"}


def _merge(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    for key, value in over.items():
        if isinstance(value, Mapping) and isinstance(base.get(key), dict):
            _merge(base[key], value)
        elif value is not None:
            base[key] = dict(value) if isinstance(value, Mapping) else value
    return base


MARKET = "market.json"  # in a home: the source that its lake was filled from
IDENTITY = ("source", "seed", "sandbox")


def market_of(settings: Settings) -> dict[str, Any]:
    """What a home's lake was filled from: a sandbox is its seed and shape, anything else its name."""
    told = settings.model_dump(mode="json", include=set(IDENTITY))
    return told if settings.source == "sandbox" else {"source": told["source"]}


def _remembered(home: Path) -> dict[str, Any]:
    """What filled this home before. A size that an older home does not name has the value it had then."""
    path = home / MARKET
    told: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return {**told, "sandbox": {**presets.SMALL, **told["sandbox"]}} if "sandbox" in told else told


def _refuse_other_market(settings: Settings, remembered: Mapping[str, Any]) -> None:
    """One home holds one market: bars of two seeds in one lake would be nobody's history."""
    found = market_of(settings)
    if "sandbox" in remembered:
        remembered = {**remembered, "sandbox": Sandbox(**remembered["sandbox"]).model_dump(mode="json")}
    for key in IDENTITY:
        if remembered and found.get(key) != remembered.get(key):
            raise SettingsError(f"{settings.home} was filled with {_apart(key, remembered.get(key), found.get(key))}: "
                                "one home holds one market, name another --home")


def _apart(name: str, held: Any, asked: Any) -> str:
    """What two markets differ in: of a section only its settings that do."""
    if isinstance(held, Mapping) and isinstance(asked, Mapping):
        return ", ".join(_apart(f"{name}.{key}", held.get(key), value) for key, value in asked.items()
                         if held.get(key) != value)
    return f"{name} {held}, not {asked}"


def _layers(
    overrides: Mapping[str, Any] | None, environment: Mapping[str, str] | None
) -> list[tuple[str, Mapping[str, Any]]]:
    """What was said and where, weakest first. Unknown names are refused here."""
    environment = os.environ if environment is None else environment
    path = Path(environment.get("NIGHTDESK_CONFIG", "nightdesk.toml"))
    layers: list[tuple[str, Mapping[str, Any]]] = []
    if path.is_file():
        layers.append((f"file {path}", tomllib.loads(path.read_text())))
        _refuse_unknown(layers[-1][1], Settings, str(path))
    layers += [("environment", _from_environment(environment)), ("option", dict(overrides or {}))]
    _refuse_unknown(layers[-2][1], Settings, "the environment (NIGHTDESK_…)")
    _refuse_unknown(layers[-1][1], Settings, "the command line")
    said: dict[str, Any] = {}
    for _, layer in layers:
        _merge(said, layer)
    return [*presets.layers(said), *layers]


def origins(
    overrides: Mapping[str, Any] | None = None, *, environment: Mapping[str, str] | None = None
) -> dict[str, tuple[Any, str]]:
    """Every setting by its dotted name, with its value and who said so: default, home, file, environment or option."""
    settings = load(overrides, environment=environment)
    layers = [("home", _remembered(settings.home)), *_layers(overrides, environment)]
    return {
        name: (value, next((origin for origin, layer in reversed(layers) if name in dict(_flat(layer))), "default"))
        for name, value in _flat(settings.model_dump(mode="json"))
    }


def _flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield before + name, value


def _told(wrong: Mapping[str, Any]) -> str:
    """One value that its setting does not take."""
    name, why = ".".join(map(str, wrong["loc"])), str(wrong["msg"]).removeprefix("Value error, ")
    return f"{name} = {wrong['input']}: {why[:1].lower()}{why[1:]}"


def load(overrides: Mapping[str, Any] | None = None, *, environment: Mapping[str, str] | None = None) -> Settings:
    """Settings of this run. Unknown keys are refused, naming the nearest right one."""
    values: dict[str, Any] = {}
    for _, layer in _layers(overrides, environment):
        _merge(values, layer)
    remembered = _remembered(Path(values.get("home", Settings().home)).expanduser())
    try:
        settings = Settings.model_validate(_merge(copy.deepcopy(remembered), values))
    except ValidationError as wrong:
        raise SettingsError("; ".join(map(_told, wrong.errors()))) from None
    if settings.source not in ("sandbox", "vendors") and not settings.source.startswith("files:"):
        raise SettingsError(f"--source {settings.source} is not known: sandbox, files:DIR or vendors")
    _refuse_other_market(settings, remembered)
    if settings.now is not None and settings.now.tzinfo is None:
        raise SettingsError(f"--now {settings.now} has no time zone; write it as 2025-07-01T06:00:00Z")
    return settings.model_copy(update={"home": settings.home.expanduser().absolute()})


def load_config(environment: presets.Environment | None = None, **settings: Any) -> Settings:
    """The settings of one environment, for who scripts against them: `load_config("production", seed=3)`."""
    return load({**settings, **({"environment": environment} if environment else {})})
