"""What a home was filled with is remembered, and only another market is refused."""

import re
from pathlib import Path

import pytest

from pipelines import durable, settings
from pipelines.home import Home
from pipelines.settings import SettingsError, load, market_of
from tests import OWN


def test_a_home_takes_its_own_market_again_in_any_spelling_and_no_other(tmp_path: Path) -> None:
    home = Home(tmp_path).prepare()
    told = {"home": str(home.root), "sandbox": {"names": "6", "signal": "0.5"}}  # as --set gives it: text
    first = load(told, environment=OWN)
    durable.write_json(home.root / settings.MARKET, market_of(first))
    assert load(told, environment=OWN) == first
    assert load({"home": str(home.root)}, environment=OWN) == first  # remembered
    for names in ("8", 8):
        with pytest.raises(SettingsError, match="name another --home"):
            load({"home": str(home.root), "sandbox": {"names": names}}, environment=OWN)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_gate_that_is_no_probability_is_refused_before_the_night(value: float, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="min_dsr"):
        load({"home": str(tmp_path), "gate": {"min_dsr": value}}, environment=OWN)


def test_presets_are_the_weakest_layer_and_are_told_as_the_origin(tmp_path: Path) -> None:
    told = {"home": str(tmp_path), "environment": "staging", "profile": "ultra_fast", "asking": {"attempts": "2"}}
    origins = settings.origins(told, environment=OWN)
    assert origins["asking.workers"] == (10, "environment staging")  # where it runs overrules how it is used
    assert origins["asking.attempts"] == (2, "option")
    assert settings.origins({"profile": "conservative"}, environment=OWN)["spend.max_usd"] == (
        5.0, "profile conservative")  # fmt: skip
    assert load({}, environment={**OWN, "NIGHTDESK_ENVIRONMENT": "production"}).asking.workers == 15
    with pytest.raises(ValueError, match="environment"):
        load({"environment": "moon"}, environment=OWN)


def test_scale_is_six_hundred_names_over_ten_years_unless_a_size_is_named(tmp_path: Path) -> None:
    sandbox = load({"sandbox": {"scale": "true"}}, environment=OWN).sandbox
    assert (sandbox.names, sandbox.sessions) == (600, 2520)
    assert load({"sandbox": {"scale": "true", "names": 50}}, environment=OWN).sandbox.names == 50
    usual = load({"sandbox": {"scale": "false"}}, environment=OWN).sandbox
    assert (usual.names, usual.sessions, usual.roots, usual.incidents) == (80, 1260, ("ES", "NQ"), "many")
    small = load({"sandbox": {"small": "true", "nights": 3}}, environment=OWN).sandbox
    assert (small.names, small.sessions, small.roots, small.incidents, small.nights) == (20, 756, ("ES",), "few", 3)
    # A home of the usual size does not become another market in silence.
    filled = load({"home": str(tmp_path)}, environment=OWN)
    durable.write_json(Home(tmp_path).prepare().root / settings.MARKET, market_of(filled))
    with pytest.raises(SettingsError, match="name another --home"):
        load({"home": str(tmp_path), "sandbox": {"scale": "true"}}, environment=OWN)


def test_a_webhooks_address_is_shown_nowhere(tmp_path: Path) -> None:
    told = load({"home": str(tmp_path), "alerts": {"webhook": "https://hooks/secret"}}, environment=OWN)
    assert told.alerts.webhook == "https://hooks/secret"
    assert "secret" not in repr(told) + told.model_dump_json()


def test_a_home_from_before_a_size_could_be_named_has_the_one_it_always_had(tmp_path: Path) -> None:
    sizes = {"names": 20, "sessions": 756, "nights": 20, "signal": "strong", "chain_sessions": 30, "tick_sessions": 10}
    older = {"source": "sandbox", "seed": 7, "sandbox": sizes}
    durable.write_json(Home(tmp_path).prepare().root / settings.MARKET, older)
    assert load({"home": str(tmp_path)}, environment=OWN).sandbox.incidents == "few"
    with pytest.raises(SettingsError, match="name another --home"):
        load({"home": str(tmp_path), "sandbox": {"incidents": "many"}}, environment=OWN)


def test_a_script_loads_one_environment_by_its_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    told = settings.load_config("production", seed=3)
    assert (told.environment, told.seed, told.asking.workers, told.asking.attempts) == ("production", 3, 15, 6)
    assert told == settings.load({"environment": "production", "seed": 3})
    assert settings.load_config().environment is None


def test_what_the_runner_reads_from_the_environment_stops_no_command() -> None:
    """Secrets and addresses of alerts, brokers and feeds, which are told by variables alone."""
    sources = (Path(settings.__file__).parents[1] / "live").rglob("*.py")
    named = {name for source in sources for name in re.findall(r"NIGHTDESK_[A-Z_]+", source.read_text())}
    assert {"NIGHTDESK_DISCORD_WEBHOOK", "NIGHTDESK_BROKER_KEY", "NIGHTDESK_POLYGON_SOCKET"} <= named
    told = settings.load({}, environment={**OWN, **dict.fromkeys(named, "secret")})
    assert told == settings.load({}, environment=OWN)
