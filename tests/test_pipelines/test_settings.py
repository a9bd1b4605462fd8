"""What a home was filled with is remembered, and only another market is refused."""

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
