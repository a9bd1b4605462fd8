"""The newest bars and decision rows: what the bundle brought, grown by the sessions that live itself has seen."""

import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from live.ports import Action
from live.rolling import Growing, Rolling
from models.bundle import Bundle, SessionTimes
from models.features.compute import compute_tail
from models.features.feature import Feature
from models.features.inputs import FITTED, OF_BARS, of_bars
from models.features.panel import BarPanel, FeaturePanel
from models.features.registry import named
from models.market import liquidity
from models.strategy import RawScores, scores_before

Floats = NDArray[np.float64]
DayBar = tuple[float, float, float, float, float]  # open, high, low, close, volume; raw
FAST_CELLS = "equity"
_PRICES = ("open", "high", "low", "close", "volume")


class Tail:
    """Raw daily columns by session and name; features are computed from them with the kernels of research."""

    def __init__(self, bundle: Bundle) -> None:
        bars = bundle.snapshot.bars
        self._bundle = bundle
        self.symbols = dict(zip(bars.names, bundle.snapshot.symbols, strict=True))
        self._rows = Rolling(bars.sessions, bars.columns)
        self._newest: dt.date = bars.sessions[-1].astype(object)
        self.written: set[str] | None = None  # sessions whose rows the journal has, once somebody looked
        self._factors = {name: np.nan_to_num(_last_known(bars.columns[name]), nan=1.0)  # both begin with a first bar
                         for name in ("split_factor", "total_return_factor")}
        self._times = {times.session: times for times in bundle.calendar}
        self._calendar = sorted(self._times)
        self.scores: RawScores = {}  # of the newest decisions, by session
        self._history = brought_rows(bundle)
        brought = bundle.snapshot.panel
        coming = brought.rows(min(len(self._history.sessions), len(brought.sessions) - 1), None)
        self._coming = coming.tradable[0]  # of the first coming session, kept for those after it
        self._lent = None if coming.shortable is None else coming.shortable[0]
        borrowed = () if self._history.shortable is None else (self._history.shortable,)
        self._grown = Growing(max(bundle.strategy.history, 1), self._history.sessions, self._history.values,
                              self._history.tradable, *borrowed)
        self._own, self._atr14 = self._own_features(), named(("atr_14",))
        self._look_back = max(feature.look_back for feature in (*self._own.values(), *self._atr14))

    @property
    def names(self) -> tuple[str, ...]:
        return self._bundle.snapshot.bars.names

    @property
    def newest(self) -> dt.date:
        """The last session whose bars are in."""
        return self._newest

    @property
    def decides(self) -> bool:
        """Whether there are features at all: a rule on prices needs none."""
        return bool(self._history.features)

    def lent(self, name: str) -> bool:
        """Whether a name can be sold short in the coming session."""
        return self._lent is None or bool(self._lent[self.names.index(name)])

    def times(self, session: dt.date) -> SessionTimes | None:
        return self._times.get(session)

    def missing_before(self, session: dt.date) -> int:
        """Sessions of the calendar that lie between the newest bars and this one."""
        first, last = bisect_right(self._calendar, self.newest), bisect_left(self._calendar, session)
        return max(0, last - first)

    def reference_prices(self, session: dt.date, actions: Sequence[Action]) -> Floats:
        """Each name's last close in shares of this session: what a weight is turned into shares at, as judged."""
        known = _last_known(self._rows.newest("close", 1) * self._rows.newest("split_factor", 1))
        if np.isnan(known).any():  # a name without a bar of the newest session: its last one counts
            known = _last_known(self._rows.newest("close") * self._rows.newest("split_factor"))
        prices: Floats = known / self._factors_on(session, actions)["split_factor"]
        return prices

    def continuity(self, session: dt.date, actions: Sequence[Action]) -> dict[str, float]:
        """What a raw price of this session is multiplied by to go on from those before splits and dividends."""
        factors = self._factors_on(session, actions)["total_return_factor"].tolist()
        return {name: factor if factor > 0 else 1.0 for name, factor in zip(self.names, factors, strict=True)}

    def atr14_usd(self, reference: Floats) -> Floats:
        """Mean true range of 14 sessions in dollars a share: the R of a position without a stop."""
        share: Floats = compute_tail(self._bars(), self._atr14)["atr_14"]
        return share * reference

    def score_ahead(self) -> None:
        """Score the rows that are there, so that a decision before the open is left with its own."""
        if self._bundle.strategy.intraday is None:
            self.scores = scores_before(self._bundle.strategy, self._bundle.models, self._history)

    def daily_returns(self, sessions: int = 60) -> Floats:
        """(sessions, names) total returns of the newest sessions, NaN where a name did not trade."""
        close, total = (self._rows.newest(name, sessions + 1) for name in ("close", "total_return_factor"))
        adjusted = close * total
        returns: Floats = adjusted[1:] / adjusted[:-1] - 1.0
        return returns

    def liquidity(self) -> tuple[Floats, Floats]:
        """ADV in dollars and daily volatility for the coming session, by the judge's kernels."""
        close, volume, factor = (self._rows.newest(name, liquidity.LOOK_BACK + 1) for name in
                                 ("close", "volume", "total_return_factor"))
        traded, adjusted = (np.ascontiguousarray(part.T) for part in (close * volume, close * factor))
        if len(close) <= liquidity.LOOK_BACK:  # a shorter history has gaps where it did not reach back
            gap = np.full((len(self.names), liquidity.LOOK_BACK + 1 - len(close)), np.nan)
            traded, adjusted = (np.hstack([gap, part]) for part in (traded, adjusted))
        return liquidity.adv20_usd(traded), liquidity.vol20_daily(adjusted)

    def decision_panel(self, times: SessionTimes, decided_at: dt.datetime) -> FeaturePanel:
        """The rows a decision for this session reads; its own row, computed now, is the last."""
        features = self._bundle.snapshot.panel.features
        columns = self._own_values()
        slow = {one.name: one for one in self._bundle.snapshot.slow}
        row = np.full((len(self.names), len(features)), np.nan)
        for index, name in enumerate(features):
            if name in columns:
                row[:, index] = columns[name]
            elif name in slow:
                one = slow[name]
                fresh = one.available_at <= decided_at and decided_at - one.event_time <= one.stale_after
                row[:, index] = one.value if fresh else np.nan
        day = np.datetime64(times.session, "D")
        lent = () if self._lent is None else (self._lent,)
        days, values, *flags = self._grown.append(day, row, self._coming, *lent)
        self._history = FeaturePanel(days, self.names, features, values, *flags)
        return self._history

    def as_judged(self, panel: FeaturePanel) -> bool | None:
        """Whether live's newest row is the one that research has of the same decision; None where it has none yet."""
        brought = self._bundle.snapshot.panel
        (found,) = np.nonzero(brought.sessions == panel.sessions[-1])
        if not len(found):
            return None
        here, there = (np.where(np.isnan(row), np.nan, row) for row in (panel.values[-1], brought.values[found[0]]))
        return here.tobytes() == there.tobytes()

    def append(self, session: dt.date, bars: Mapping[str, DayBar], actions: Sequence[Action]) -> None:
        """Take in a finished session: its day bars, and the actions that went ex on it."""
        self._factors = self._factors_on(session, actions)
        values = np.array([bars.get(name, (np.nan,) * 5) for name in self.names])
        traded = np.isfinite(values[:, 3])
        row = {name: values[:, index] for index, name in enumerate(_PRICES)}
        row |= {name: np.where(traded, factor, np.nan) for name, factor in self._factors.items()}
        row |= {name: np.where(traded, _last_known(self._rows.newest(name)), np.nan)  # the night's, until the next
                for name in FITTED if name in self._rows.names}
        self._rows.append(np.datetime64(session, "D"), row)
        self._newest = session

    def _factors_on(self, session: dt.date, actions: Sequence[Action]) -> dict[str, Floats]:
        """Both factors once this session's actions count. One from before the newest bars is the next bundle's."""
        split, total = self._factors["split_factor"].copy(), self._factors["total_return_factor"].copy()
        if not actions:
            return {"split_factor": split, "total_return_factor": total}
        close_before = _last_known(self._rows.newest("close"))
        for action in actions:
            if action.instrument_id in self.names and self.newest < action.ex_date <= session:
                index = self.names.index(action.instrument_id)
                if action.kind == "split":
                    split[index], total[index] = split[index] * action.amount, total[index] * action.amount
                else:
                    total[index] *= close_before[index] / (close_before[index] - action.amount)
        return {"split_factor": split, "total_return_factor": total}

    def _own_features(self) -> dict[str, Feature]:
        """By the panel's names the features, in the manifest's versions, made of the bars that live sees for itself.

        Of the others it has the bundle's last values."""
        meant = named(tuple(entry.ref for entry in self._bundle.manifest.features))
        asked = zip(self._bundle.snapshot.panel.features, meant, strict=True)
        return {name: feature for name, feature in asked if feature.cells in OF_BARS}

    def _own_values(self) -> dict[str, Floats]:
        """By the panel's names; one version at a time, as two of them share a name."""
        asked: dict[tuple[str, int], list[Feature]] = {}
        for feature in self._own.values():
            asked.setdefault((feature.cells, feature.version), []).append(feature)
        made = {key: compute_tail(self._bars(key[0]), some) for key, some in asked.items()}
        return {name: made[feature.cells, feature.version][feature.name] for name, feature in self._own.items()}

    def _bars(self, cells: str = FAST_CELLS) -> BarPanel:
        count = self._look_back
        raw = {name: self._rows.newest(name, count) for name in self._rows.names}
        days = self._rows.days(count)
        return BarPanel(days, self.names, of_bars(cells, raw, days))


def brought_rows(bundle: Bundle) -> FeaturePanel:
    """The decision rows that came with the bundle: those of sessions whose bars it holds."""
    panel = bundle.snapshot.panel
    return panel.upto(int(np.searchsorted(panel.sessions, bundle.snapshot.bars.sessions[-1], side="right")))


def _last_known(values: Floats) -> Floats:
    """The newest finite value of each name down (sessions, names); NaN where there never was one."""
    if len(values) and np.logical_and.reduce(np.isfinite(values[-1])):
        newest_row: Floats = values[-1].copy()
        return newest_row
    known = np.isfinite(values)
    newest = len(values) - 1 - known[::-1].argmax(axis=0)
    return np.where(known.any(axis=0), values[newest, np.arange(values.shape[1])], np.nan)
