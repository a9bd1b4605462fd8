"""What a portfolio of strategies came to: one book, each strategy's share in it, and its risk as it was read."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from models.backtest.vector import Backtest
from models.portfolio.monitor import Reading, correlations, reading

if TYPE_CHECKING:
    import pyarrow as pa

FloatArray = npt.NDArray[np.float64]
LOOK_BACK = 63  # sessions of returns that a reading of risk is made of


@dataclass(frozen=True)
class PortfolioResult:
    """`book` is what was traded; `alone` what each strategy would have made of the whole capital by itself."""

    book: Backtest
    alone: Mapping[str, Backtest]
    shares: FloatArray  # (sessions, strategies) of the capital
    rebalance: npt.NDArray[np.bool_]  # (sessions,)
    rebalance_freq: str

    @property
    def attribution(self) -> FloatArray:
        """(sessions, strategies + 1) net return over cash by strategy at its share of the capital; the last column is
        what netting them, whole shares and limits made of it, so that a row adds up to the book's."""
        each = self.shares * np.stack([told.excess for told in self.alone.values()], axis=1)
        return np.hstack([each, (self.book.excess - each.sum(axis=1))[:, None]])

    @cached_property
    def risk(self) -> list[Reading]:
        """One of each session, after its fill, on returns that were known before it."""
        prices = self.book.market.prices
        close = prices.close_raw * prices.total_return_factor
        moves = close[1:] / close[:-1] - 1.0  # row s is of session s + 1
        weights = self.book.book.value / self.book.costs.capital_usd
        return [reading(row, moves[max(0, s - 1 - LOOK_BACK) : max(0, s - 1)]) for s, row in enumerate(weights)]

    def correlation(self) -> FloatArray:
        """(strategies, strategies) of what each earned alone."""
        return correlations(np.stack([told.excess for told in self.alone.values()], axis=1)[self._begun :])

    @property
    def _begun(self) -> int:
        return int(np.argmax(self.rebalance)) if self.rebalance.any() else 0

    def figures(self) -> dict[str, Any]:
        """The book's, with each strategy's Sharpe alone and what it gave to the book."""
        given = self.attribution.sum(axis=0) * self.book.costs.capital_usd
        parts = {name: {"sharpe_alone": told.figures()["sharpe_annual"], "profit_over_cash_usd": float(profit),
                        "mean_share": float(self.shares[self._begun :, k].mean())}
                 for k, ((name, told), profit) in enumerate(zip(self.alone.items(), given[:-1], strict=True))}
        return {**self.book.figures(), "rebalances": int(self.rebalance.sum()), "netting_usd": float(given[-1]),
                "strategies": parts}

    def tables(self) -> dict[str, "pa.Table"]:
        """The book's equity, positions and trades; and by session allocation, attribution and risk."""
        import pyarrow as pa

        names, days = list(self.alone), pa.array(self.book.sessions, pa.date32())
        matrix = self.correlation()
        read = [one.as_json() for one in self.risk]
        return {
            **self.book.tables(),
            "allocation": pa.table({"session": days, "rebalance": self.rebalance,
                                    **{name: self.shares[:, k] for k, name in enumerate(names)}}),
            "attribution": pa.table({"session": days, **{
                name: self.attribution[:, k] for k, name in enumerate([*names, "netting"])}}),
            "risk": pa.table({"session": days, **{name: [row[name] for row in read] for name in read[0]}}),
            "correlation": pa.table({"strategy": names, **{name: matrix[:, k] for k, name in enumerate(names)}}),
        }

    def frames(self) -> dict[str, Any]:
        """The same as pandas data frames, where pandas is installed."""
        return {name: table.to_pandas() for name, table in self.tables().items()}
