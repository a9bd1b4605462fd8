"""`AdjustmentEngine`: a frame of raw bars, adjusted backwards by its actions as the warehouse's macro does it."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, order=True)
class CorporateAction:
    """A split of `split_from` into `split_to` shares, or a cash dividend a share, effective on its ex-date."""

    ex_date: dt.date
    kind: str  # dividend, split
    split_from: float = 1.0
    split_to: float = 1.0
    cash_amount: float = 0.0

    def multiplier(self, closes: dict[dt.date, float]) -> float:
        """What it multiplies the forward factor by: new shares for an old one, or p / (p − cash)."""
        if self.kind == "split":
            return self.split_to / self.split_from
        earlier = [day for day in closes if day < self.ex_date]
        before = closes[max(earlier)] if earlier else 0.0
        return before / (before - self.cash_amount) if self.cash_amount < before else 1.0


class AdjustmentEngine:
    """One company's bars at a time. Stored prices stay raw: this is a view for a stated day."""

    def adjust(
        self, raw_data: "pd.DataFrame", actions: Sequence[CorporateAction], as_of: dt.date | None = None
    ) -> "pd.DataFrame":
        """Open, high, low, close and volume as of the last session (or a later day), with `adjustment_factor`.

        `raw_data` has a column `session`. An action counts from its ex-date on, and only after the first bar.
        """
        frame = raw_data.sort_values("session").reset_index(drop=True)
        if frame.empty:
            return frame.assign(adjustment_factor=[])
        days = [_day(value) for value in frame["session"]]
        closes = dict(zip(days, frame["close"].astype(float), strict=True))
        until = max(as_of or days[-1], days[-1])
        counted = [(one, one.multiplier(closes)) for one in sorted(actions) if days[0] < one.ex_date <= until]
        total, split = [1.0] * len(days), [1.0] * len(days)
        now_total = now_split = 1.0
        for action, step in counted:
            now_total *= step
            now_split *= step if action.kind == "split" else 1.0
            for at, day in enumerate(days):
                if day >= action.ex_date:
                    total[at], split[at] = now_total, now_split
        factor = [one / now_total for one in total]
        for name in ("open", "high", "low", "close"):
            frame[name] = frame[name].astype(float) * total / now_total
        frame["volume"] = frame["volume"].astype(float) * now_split / split
        return frame.assign(adjustment_factor=factor)


def _day(value: object) -> dt.date:
    if isinstance(value, dt.datetime):
        return value.date()
    return value if isinstance(value, dt.date) else dt.date.fromisoformat(str(value)[:10])
