"""A session read ahead is the session looked at bar by bar: the same journal to the last byte."""

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from live.ahead import Ahead
from live.backtest import VenueRules, backtest
from live.fakes import ListFeed
from live.journal import Journal
from live.ports import Action, Bar, Columns
from live.risk import Limits
from live.scan import Scan
from models.intraday import Intraday, Size, Slices, StopRule
from models.signals.intraday import EmaCross, Reversion
from tests.test_live.test_inside import DAYS, bundle, market

HALTING = Limits(daily_loss_reduce=1e-6, daily_loss_halt=2e-6, drawdown_halt=1.0, close_on_halt=True)
COOLING = Limits(max_losses_in_a_row=2, cooling_off_s=1800, max_orders_per_minute=2, headroom_scaling=True)
CASES = {
    "a cross": (Intraday(rule=EmaCross(3, 8, short=True), size=Size("shares", 300)), Limits.off(), 0.1),
    "flat at the close": (Intraday(rule=EmaCross(3, 8), size=Size("weight", 0.05), flat_at_close=True), Limits(), 0.1),
    "stops": (Intraday(1, EmaCross(3, 8), Size("weight", 0.1), StopRule("fixed", pct=0.003, reward_risk=1.5)),
              Limits(), 0.1),
    "reversion": (Intraday(7, Reversion(10, 1.0), Size("weight", 0.05)), Limits(), 0.1),
    "slices": (Intraday(5, EmaCross(2, 5), Size("weight", 0.2), slices=Slices("twap", 4)), Limits(), 0.1),
    "a halt": (Intraday(rule=EmaCross(3, 8), size=Size("weight", 0.3)), HALTING, 0.1),
    "cooling off, a thin market": (Intraday(1, EmaCross(2, 4), Size("shares", 300)), COOLING, 0.002),
}


class WholeFeed(ListFeed):
    """The same lists, told at once."""

    def columns(self, session: dt.date) -> Columns:
        bars = list(self.bars(session))
        names = tuple(dict.fromkeys(bar.instrument_id for bar in bars))
        which = np.array([names.index(bar.instrument_id) for bar in bars])
        start_us, *figures = (np.array(column) for column in list(zip(*bars, strict=True))[1:])
        return Columns(names, which, start_us, *figures)


def with_gaps(bars: dict[dt.date, list[Bar]]) -> dict[dt.date, list[Bar]]:
    """Minutes are missing here and there, and one name is silent for an hour."""
    chance = np.random.default_rng(0)
    return {day: [bar for bar in told if chance.random() > 0.2 and not (
        bar.instrument_id == "X" and 60 < bar.start_us // 60_000_000 % 390 < 130)] for day, told in bars.items()}


@pytest.mark.parametrize("case", CASES)
def test_the_journal_is_the_same_to_the_byte(tmp_path: Path, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    intraday, limits, share = CASES[case]
    strides: list[int] = []
    real = Ahead._stride

    def counted(self: Ahead, place: int) -> int:
        strides.append(real(self, place) - place)
        return place + strides[-1]

    monkeypatch.setattr(Ahead, "_stride", counted)
    bars = with_gaps(market())
    heads = []
    for feed in (ListFeed, WholeFeed):
        path = tmp_path / f"{feed.__name__}.sqlite"
        result = backtest(bundle(intraday), feed(bars, [Action("X", DAYS[2], "dividend", 0.5)]), path, limits=limits,
                          rules=VenueRules(share))
        with Journal(path) as book:
            heads.append((book.verify(), book.head(), result))
        assert result.fills and (sum(strides) > 100 if feed is WholeFeed else not strides)
    assert heads[0] == heads[1]


@pytest.mark.parametrize(("place", "changed"), [
    (0, {"start_us": -1}), (5, {"low": -1.0}), (5, {"close": float("nan")}), (5, {"high": float("inf")}),
    (5, {"volume": -1.0}), (5, {"open": 1e9}), (700, {"start_us": 2**61})])
def test_a_session_with_an_odd_bar_is_not_read_ahead(place: int, changed: dict[str, float]) -> None:
    bars = market()[DAYS[0]]
    open_us, close_us = bars[0].start_us, bars[0].start_us + 390 * 60_000_000
    odd = [bar._replace(**changed) if row == place else bar for row, bar in enumerate(bars)]  # type: ignore[arg-type]
    twice = [*bars[:9], bars[7], *bars[9:]]
    for told, read in ((bars, True), (odd, False), (twice, False)):
        columns = WholeFeed({DAYS[0]: told}).columns(DAYS[0])
        assert (Scan.of(columns, open_us, close_us) is not None) is read
