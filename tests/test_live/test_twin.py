"""A planted cause of each kind is named by the twin, alone, and the parts sum to the cent."""

import dataclasses
import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import live.deciding
from live.adapters.bundles import FolderBundles
from live.adapters.paper import PaperVenue
from live.clock import TapeClock, to_us
from live.engine import Engine, Terms
from live.fakes import ListFeed
from live.journal import Journal
from live.ports import Bar, Fill
from live.replay import take
from live.risk import KillMode, Limits
from live.risk.switch import write_kill_file
from live.tail import Tail
from live.twin import explain
from live.twin_day import CAUSES, Market, NoTwin
from models.backtest.prices import Prices
from models.bundle import Bundle, current, load
from models.market.costs import CostModel
from pipelines import calendars
from tests.test_live import world
from tests.test_live.test_replay import bars

COSTS = CostModel.default()
COMING = world.world().coming
JUDGED = COMING[1]  # the second session: something is held into it


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return world.publish(tmp_path_factory.mktemp("bundles"))


def research(bundle: Bundle, *, revised: dict[str, tuple[float, float]] | None = None,
             minutes: Sequence[Bar] | None = None) -> Market:
    """What the night knows of the judged session: the world as it is, or with some opens and closes revised."""
    here, number = world.world(), world.PAST + 1
    raw = here.raw
    prices = Prices.from_bars(
        np.array(here.sessions, "datetime64[D]"), world.NAMES, open_raw=raw["open"], close_raw=raw["close"],
        volume=raw["volume"], split_factor=raw["split_factor"], total_return_factor=raw["total_return_factor"],
        tradable=np.ones_like(raw["open"], dtype=bool))
    opens = dict(zip(world.NAMES, raw["open"][number].tolist(), strict=True))
    closes = dict(zip(world.NAMES, raw["close"][number].tolist(), strict=True))
    for name, (opened, closed) in (revised or {}).items():
        opens[name], closes[name] = opened, closed
    by_minute = {(bar.instrument_id, bar.start_us): bar.open for bar in minutes or bars(1)}
    first: dict[str, int] = {}
    for name, start_us in sorted(by_minute, key=lambda key: key[1]):
        first.setdefault(name, start_us)
    panel = here.panel().upto(number)
    return Market(panel.select(bundle.snapshot.panel.features).tail(bundle.strategy.history),
                  prices.reference_price[number], prices.adv20_usd[number], prices.vol20_daily[number], opens, closes,
                  [one for one in here.actions if one.ex_date == JUDGED], first,
                  lambda name, start_us: by_minute.get((name, start_us)))


def trade(bundles: Path, folder: Path, *, venue: PaperVenue | None = None, limits: Limits | None = None,
          second: Sequence[Bar] | None = None, before_second: Callable[[Engine], None] = lambda engine: None,
          meanwhile: Callable[[Bar], None] = lambda bar: None) -> Path:
    """Two sessions; what is planted is planted in the second."""
    with Journal(folder / "j.sqlite") as journal:
        bundle = take(FolderBundles(bundles), journal, [world.PUBLIC], TapeClock(calendars.open_at(COMING[0])))
        assert bundle is not None
        for number in (0, 1):
            chosen = (venue if number else None) or PaperVenue(COSTS)
            terms = Terms("paper", (limits if number else None) or Limits(), COSTS, folder / "KILL")
            start = calendars.open_at(COMING[number]) - dt.timedelta(minutes=30)
            engine = Engine(bundle, journal, chosen, TapeClock(start), terms)
            if number:
                before_second(engine)
            of_day = second if number and second is not None else bars(number)
            engine.run_session(COMING[number], ListFeed({COMING[number]: of_day},
                                                        meanwhile=meanwhile if number else lambda bar: None))
    return folder / "j.sqlite"


def told(bundles: Path, journal: Path, **more: Any) -> dict[str, Any]:
    found = current(bundles)
    assert found is not None
    bundle = load(found, [world.PUBLIC], 0, calendars.open_at(COMING[0]))
    with Journal(journal, read_only=True) as book:
        made = explain(book, JUDGED, bundle, research(bundle, **more), COSTS)
    cents = {cause: round(part * 100) for cause, part in made["parts"].items()}
    assert list(cents) == list(CAUSES) and made["unexplained"] == 0.0
    assert sum(cents.values()) == round(made["live"] * 100) - round(made["judged"] * 100)
    return made


def alone(made: dict[str, Any], cause: str) -> list[str]:
    """The cause is the only one with a part, and it is named."""
    assert [name for name, part in made["parts"].items() if part] == [cause], made["parts"]
    assert list(made["named"]) == [cause], made["named"]
    names: list[str] = made["named"][cause]
    return names


def test_a_session_lived_as_judged_has_no_difference(bundles: Path, tmp_path: Path) -> None:
    made = told(bundles, trade(bundles, tmp_path))
    assert made["difference"] == 0.0 and made["named"] == {} and not any(made["parts"].values())
    assert made["judged"] == made["live"] != 0.0


def test_a_revised_close_and_a_revised_open_are_data(bundles: Path, tmp_path: Path) -> None:
    name, raw = world.NAMES[2], world.world().raw
    opened, closed = (float(raw[what][world.PAST + 1, 2]) for what in ("open", "close"))
    made = told(bundles, trade(bundles, tmp_path), revised={name: (opened + 0.25, closed - 1.0)})
    assert alone(made, "data revised")[0].startswith(f"{name}: open, close")


def test_a_wrong_feature_is_named(bundles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Tail.decision_panel

    def wrong(self: Tail, *args: Any) -> Any:
        panel = real(self, *args)
        panel.values[-1, 3, panel.features.index("ret_5")] += 0.2
        return panel

    def plant(engine: Engine) -> None:
        monkeypatch.setattr(Tail, "decision_panel", wrong)

    journal = trade(bundles, tmp_path, before_second=plant)
    monkeypatch.undo()
    made = told(bundles, journal)
    (line,) = alone(made, "feature")
    assert line.startswith(f"ret_5 of {world.NAMES[3]}: ")


def test_a_wrong_score_is_named(bundles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = live.deciding.decide

    def wrong(*args: Any) -> Any:
        made = real(*args)
        return dataclasses.replace(made, weights=made.weights * np.where(np.arange(len(made.weights)) == 4, 0.5, 1.0))

    def plant(engine: Engine) -> None:
        monkeypatch.setattr(live.deciding, "decide", wrong)

    journal = trade(bundles, tmp_path, before_second=plant)
    monkeypatch.undo()
    assert alone(told(bundles, journal), "score")[0].startswith(f"{world.NAMES[4]}: ")


def test_a_late_fill_is_timing(bundles: Path, tmp_path: Path) -> None:
    name = world.NAMES[5]
    opened_us = to_us(calendars.open_at(JUDGED))
    without = [bar for bar in bars(1) if not (bar.instrument_id == name and bar.start_us == opened_us)]
    made = told(bundles, trade(bundles, tmp_path, second=without))
    assert alone(made, "timing") == [f"{name}: filled 1 minute(s) after its first"]


class Worse(PaperVenue):
    """Fills a little off the print, or charges more than the model says."""

    def __init__(self, *, off_usd: float = 0.0, dearer: float = 1.0) -> None:
        super().__init__(COSTS)
        self._off_usd, self._dearer = off_usd, dearer

    def on_bar(self, bar: Bar) -> list[Fill]:
        return [fill._replace(price=fill.price + self._off_usd * (1 if fill.quantity > 0 else -1),
                              cost=fill.cost * self._dearer) for fill in super().on_bar(bar)]


def test_a_worse_price_is_the_fill(bundles: Path, tmp_path: Path) -> None:
    made = told(bundles, trade(bundles, tmp_path, venue=Worse(off_usd=0.02)))
    assert " for a print of " in made["named"]["fill price"][0] and list(made["named"]) == ["fill price"]
    assert made["parts"]["fill price"] < 0 and abs(made["parts"]["cost"]) < 2.0  # costs are of the print's price
    assert not any(made["parts"][cause] for cause in CAUSES if cause not in ("fill price", "cost"))


def test_a_dearer_venue_is_cost(bundles: Path, tmp_path: Path) -> None:
    made = told(bundles, trade(bundles, tmp_path, venue=Worse(dearer=2.0)))
    assert [cause for cause, part in made["parts"].items() if part] == ["cost"] and made["parts"]["cost"] < 0


def test_a_limit_is_named_with_what_it_cut(bundles: Path, tmp_path: Path) -> None:
    made = told(bundles, trade(bundles, tmp_path, limits=Limits(max_order_notional_usd=20_000.0)))
    lines = alone(made, "limit")
    assert all("allowed" in line or "more" in line for line in lines)


@pytest.mark.parametrize("mode", [KillMode.HALT, KillMode.FLATTEN])
def test_a_persons_switch_before_the_decision_is_manual(bundles: Path, tmp_path: Path, mode: KillMode) -> None:
    made = told(bundles, trade(bundles, tmp_path, before_second=lambda _: write_kill_file(
        tmp_path / "KILL", mode, "a hand")))
    assert alone(made, "manual")[0].startswith("kill file KILL")


def test_a_flattening_in_mid_session_is_manual(bundles: Path, tmp_path: Path) -> None:
    minute_us = to_us(calendars.open_at(JUDGED)) + 61 * 60_000_000

    def throw(bar: Bar) -> None:
        if bar.start_us == minute_us:
            write_kill_file(tmp_path / "KILL", KillMode.FLATTEN, "a hand")

    made = told(bundles, trade(bundles, tmp_path, meanwhile=throw))
    assert alone(made, "manual")[0].startswith("kill file KILL: flatten")


def test_several_causes_at_once_still_sum_to_the_cent(bundles: Path, tmp_path: Path) -> None:
    name, raw = world.NAMES[2], world.world().raw
    made = told(bundles, trade(bundles, tmp_path, venue=Worse(off_usd=0.03, dearer=1.5),
                               limits=Limits(max_order_notional_usd=50_000.0)),
                revised={name: (float(raw["open"][world.PAST + 1, 2]), float(raw["close"][world.PAST + 1, 2]) * 1.01)})
    assert {"data revised", "fill price", "cost", "limit"} <= {cause for cause, part in made["parts"].items() if part}


def test_a_session_that_was_not_traded_has_no_twin(bundles: Path, tmp_path: Path) -> None:
    journal = trade(bundles, tmp_path)
    found = current(bundles)
    assert found is not None
    bundle = load(found, [world.PUBLIC], 0, calendars.open_at(COMING[0]))
    with Journal(journal, read_only=True) as book, pytest.raises(NoTwin, match="not traded to its close"):
        explain(book, COMING[3], bundle, research(bundle), COSTS)
