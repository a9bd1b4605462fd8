"""The vectorised backtest, whole: a book on daily bars, everything it was charged, and tables of what came of it.

It is built round `judge`, whose arithmetic it shares: with the default terms and no rules beside, net returns are the
judge's to the bit. Weights may use only what was known before each session's open; the engine never shows them more.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from models.backtest import figures
from models.backtest.book import Book, Rules, hold
from models.backtest.charges import Charges, Terms, charge
from models.backtest.market import Market
from models.backtest.roundtrips import round_trips
from models.market.costs import CostModel, cash_interest

if TYPE_CHECKING:
    import pyarrow as pa

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Backtest:
    """(sessions,) returns are shares of the stated capital, which every session sizes anew."""

    market: Market
    book: Book
    charges: Charges
    costs: CostModel
    terms: Terms
    gross: FloatArray
    net: FloatArray
    cost: FloatArray

    @property
    def sessions(self) -> npt.NDArray[np.datetime64]:
        return self.market.prices.sessions[:-1]

    @property
    def excess(self) -> FloatArray:
        return self.net - self.costs.cash_rate_session

    @property
    def turnover(self) -> FloatArray:
        opened = np.nan_to_num(self.market.prices.open_raw[:-1])
        traded = np.abs(self.book.trades * opened) + np.abs(self.book.stopped * np.nan_to_num(self.book.stop_price))
        told: FloatArray = traded.sum(axis=1) / self.costs.capital_usd
        return told

    @property
    def equity_usd(self) -> FloatArray:
        return self.costs.capital_usd * (1.0 + np.cumsum(self.net))

    @cached_property
    def trips(self) -> list[dict[str, Any]]:
        days = self.sessions.astype("datetime64[D]").astype(object)
        return [{**trip, "opened": days[trip["opened"]], "closed": days[trip["closed"]],
                 "sessions": trip["closed"] - trip["opened"]}
                for trip in round_trips(self.market, self.book, self.costs, self.terms)]

    def figures(self) -> dict[str, float | int | None]:
        """What a person reads first. A mean over no trades is told as None."""
        told: dict[str, float | int | None] = {
            "sessions": len(self.net), "sharpe_annual": figures.sharpe_annual(self.excess),
            "annual_return": figures.annual_return(self.net), "annual_volatility": figures.annual_volatility(self.net),
            "max_drawdown": figures.max_drawdown(self.net), "turnover_a_session": float(self.turnover.mean()),
            "cost_usd": float(self.cost.sum() * self.costs.capital_usd), "trades": len(self.trips),
            "unguarded": self.book.unguarded, "wins": _mean([float(trip["pnl"] > 0.0) for trip in self.trips]),
        }
        return told | {f"mean_{name}": _mean([trip[name] for trip in self.trips]) for name in ("R", "mae_R", "mfe_R")}

    def equity_table(self) -> "pa.Table":
        """A row a session: returns, equity, what it was charged by kind, turnover and exposure."""
        import pyarrow as pa

        capital, value = self.costs.capital_usd, self.book.value
        kinds = {f"{name}_usd": values for name, values in self.charges.kinds().items()}
        return pa.table({
            "session": pa.array(self.sessions, pa.date32()), "gross": self.gross, "net": self.net,
            "equity_usd": self.equity_usd, **kinds, "turnover": self.turnover,
            "long": np.maximum(value, 0.0).sum(axis=1) / capital, "short": np.minimum(value, 0.0).sum(axis=1) / capital,
            "gross_exposure": np.abs(value).sum(axis=1) / capital, "net_exposure": value.sum(axis=1) / capital,
            "names": (self.book.shares != 0.0).sum(axis=1)})

    def positions_table(self) -> "pa.Table":
        """A row for each name and session in which it was held or traded."""
        import pyarrow as pa

        row, column = np.nonzero((self.book.shares != 0.0) | (self.book.trades != 0.0))
        at = row, column
        return pa.table({
            "session": pa.array(self.sessions[row], pa.date32()),
            "instrument_id": np.array(self.market.prices.names, dtype=object)[column],
            "shares": self.book.shares[at], "traded": self.book.trades[at], "stopped": self.book.stopped[at],
            "open": self.market.prices.open_raw[:-1][at], "value_usd": self.book.value[at],
            "gain_usd": self.book.gain[at], "cost_usd": self.charges.by_name[at]})

    def trades_table(self) -> "pa.Table":
        """A row a round trip, with its R, and how far it ran for and against it."""
        import pyarrow as pa

        kinds = {"instrument_id": pa.string(), "side": pa.int8(), "shares": pa.int64(), "reason": pa.string(),
                 "opened": pa.date32(), "closed": pa.date32(), "sessions": pa.int32()}
        names = ("instrument_id", "side", "shares", "entry", "exit", "reason", "opened", "closed", "sessions", "costs",
                 "pnl", "R", "mfe_R", "mae_R", "slippage_bp")
        return pa.Table.from_pylist(self.trips, pa.schema([(name, kinds.get(name, pa.float64())) for name in names]))

    def tables(self) -> dict[str, "pa.Table"]:
        return {"equity": self.equity_table(), "positions": self.positions_table(), "trades": self.trades_table()}

    def frames(self) -> dict[str, Any]:
        """The same as pandas data frames, where pandas is installed."""
        return {name: table.to_pandas() for name, table in self.tables().items()}


def backtest(
    market: Market, weights: FloatArray, costs: CostModel | None = None, *, rules: Rules | None = None,
    terms: Terms | None = None,
) -> Backtest:
    """`weights` (sessions − 1, names) of the capital, long above nought: decided before each open, filled at it."""
    model, terms = costs or CostModel.default(), terms or Terms()
    book = hold(market, weights, model, rules)
    charges = charge(book, market.prices, model, terms)
    idle = cash_interest(model, model.capital_usd - charges.tied.sum(axis=1))
    gross = (book.gain.sum(axis=1) + idle) / model.capital_usd
    cost = charges.total / model.capital_usd
    return Backtest(market, book, charges, model, terms, gross, gross - cost, cost)


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
