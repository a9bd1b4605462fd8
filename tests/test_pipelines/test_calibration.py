"""The gate measured by its own command: small, resumable, the same twice, and honest about what it cannot say."""

import json

import pytest

from models.validation.policy import GatePolicy, preset, presets
from pipelines import settings as settings_module
from pipelines.evidence import policy
from pipelines.evidence.calibration import picture, run, units
from pipelines.home import Home
from tests import OWN
from tests.conftest import nightdesk


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("calibration")
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(units, "SHARPES", (4.0,))  # one strength instead of five: the gate's bootstrap takes its time
    yield folder, run.calibrate(folder, preset("default"), 3, markets=12, years=3)
    monkeypatch.undo()


def test_every_family_and_every_question_is_answered(calibrated):
    folder, result = calibrated
    assert len({one["family"] for one in result["night"]}) == 7 == len(result["year"])
    assert {one["correlation"] for one in result["night"]} == {0.0, 0.5, 0.9} and len(result["night"]) == 21
    assert sum(one["promoted"] for one in result["night"]) <= 3  # of 252, at half a per cent each
    assert all(one["promoted"] <= one["dsr_alone"] <= one["psr_alone"] <= one["markets"] for one in result["night"])
    assert sum(one["psr_alone"] for one in result["night"]) > 50  # a gate that does not count its trials
    sure = [one for one in result["power"] if one["sharpe"] == 4.0 and one["skilled"] == "all"]
    assert all(one["promoted"] == one["markets"] for one in sure)
    assert result["targets"]["night"]["reached"] is None  # of twelve markets, one would be too many already
    drawn = (folder / f"default-{preset('default').digest()[:12]}-3" / run.PICTURE).read_text()
    assert "<svg" in drawn and "student garch" in drawn
    assert any("too few to say" in line for line in picture.lines(result))


def test_a_stopped_calibration_goes_on_and_ends_the_same(calibrated, monkeypatch):
    folder, result = calibrated
    place = folder / f"default-{preset('default').digest()[:12]}-3"
    before = (place / run.RESULT).read_bytes(), (place / run.PICTURE).read_bytes()
    lost = next(path for path in place.glob("night-gaussian*"))
    lost.unlink()
    asked = []
    real = units.null_night
    monkeypatch.setattr(units, "null_night", lambda *told: asked.append(told) or real(*told))
    again = run.calibrate(folder, preset("default"), 3, markets=12, years=3)
    assert len(asked) == 1 and again == result
    assert ((place / run.RESULT).read_bytes(), (place / run.PICTURE).read_bytes()) == before


def test_the_bound_is_clopper_and_pearsons():
    assert [round(run.upper_bound(found, asked), 4) for found, asked in ((0, 300), (3, 300), (8, 300), (5, 1000))] == [
        0.0099, 0.0256, 0.0476, 0.0105]
    assert run.upper_bound(4, 4) == 1.0


def test_the_seeds_month_on_paper_is_close_to_a_coin():
    share = {sharpe: units.paper_month(1, sharpe)["passed"] / units.PAPER_PATHS for sharpe in (0.0, 1.5, 3.0)}
    assert share == pytest.approx({0.0: 0.30, 1.5: 0.50, 3.0: 0.70}, abs=0.02)


def test_the_settings_name_a_preset_and_may_move_a_bar(tmp_path):
    def used(**gate):
        return policy.policy_of(settings_module.load({"home": str(tmp_path), "gate": gate}, environment=OWN))

    assert used() == GatePolicy() == preset("default")
    assert used(preset="seeds") == preset("seeds") and used(preset="seeds", min_sharpe=2.0).min_sharpe == 2.0
    assert used(min_dsr="0.9").min_dsr == 0.9 and used(min_dsr=0.9).digest() != GatePolicy().digest()
    assert set(settings_module.Gate.model_fields["preset"].annotation.__args__) == set(presets())
    gate = settings_module.Gate().model_dump(exclude={"preset"}, exclude_none=True)
    assert gate.items() <= GatePolicy().told().items()


def test_the_presets_that_ship_were_measured_and_other_bars_say_that_they_were_not(calibrated, tmp_path):
    shipped = policy.measured(preset("default"), None)
    assert shipped["markets"] == 21_000 and shipped["worst"] <= 10 and shipped["years_with_promotion"] <= 12
    seeds = policy.measured(preset("seeds"), None)
    assert seeds["false_promotions"] > 20 * shipped["false_promotions"]
    moved = GatePolicy(min_dsr=0.9)
    assert "never calibrated" in policy.in_words(policy.measured(moved, Home(tmp_path)))
    assert "at worst" in policy.in_words(shipped)
    home, (folder, _) = Home(tmp_path), calibrated
    home.calibration.symlink_to(folder)  # a smaller one of the home's does not displace the one that ships
    assert policy.measured(preset("default"), home) == shipped


def test_the_policy_is_shown_with_what_it_does(tmp_path):
    ran = nightdesk("models", "policy", "--json", home=tmp_path)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert set(told["presets"]) == {"default", "seeds"} and told["in_use"]["bars"]["name"] == "default"
    assert told["presets"]["seeds"]["measured"]["paper"][0]["passed"] > 5_000 and told["approval_rungs"] == []
