"""What was judged, as files for whoever wants to draw or check it again: returns, trades, positions."""

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines import durable
from pipelines.report.interval import profit
from pipelines.report.story import Story

if TYPE_CHECKING:
    import pyarrow as pa

    from models.backtest import Prices
    from pipelines.evidence.judged import JudgedNight
    from pipelines.training.decided import Decided

RETURNS = ("net", "gross", "excess", "active", "cost", "turnover", "net_exposure")


def judged_csv(story: Story) -> bytes:
    """One row a judged session: cumulative net profit as a share of the stated capital, strategies and buy-and-hold."""
    judged = story.get("judged")
    columns = {"buy_and_hold": profit(judged.get("benchmark") or [])}
    columns |= {str(one.get("name")): profit(one.get("equity") or []) for one in story.strategies}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["session", *columns])
    for i, session in enumerate(judged.get("sessions") or []):
        writer.writerow([session, *(repr(values[i]) if i < len(values) else "" for values in columns.values())])
    return out.getvalue().encode()


def returns_table(night: "JudgedNight") -> "pa.Table":
    """One row a session and strategy, shares of the stated capital; buy and hold has its return and nothing else."""
    import pyarrow as pa

    names, count = [one["name"] for one in night.candidates], len(night.sessions)
    columns: dict[str, Any] = {
        "session": pa.array(np.tile(night.sessions.astype("datetime64[D]"), len(names) + 1), pa.date32()),
        "strategy": pa.array(np.repeat([*names, "buy_and_hold"], count)),
        "kind": pa.array(np.repeat([*(one["kind"] for one in night.candidates), "market"], count))}
    for name in RETURNS:
        market = night.benchmark if name in ("net", "gross") else np.full(count, np.nan)
        columns[name] = pa.array(np.concatenate([night.series[name].T.ravel(), market]), from_pandas=True)
    return pa.table(columns)


def book_tables(night: "JudgedNight", decided: "Decided", window: "Prices",
                symbols: dict[str, str]) -> tuple["pa.Table", "pa.Table"]:
    """(trades, positions) of every strategy: what was filled at the open, in whole shares and at what cost; what was
    held after it. Both by the judge's own arithmetic."""
    from models.backtest import judge
    from models.market.costs import CostModel, trade_cost

    costs = CostModel(**night.costs)
    trades: list[dict[str, Any]] = []
    positions: list[dict[str, Any]] = []
    for at, one in enumerate(night.candidates):
        weights = decided.of(one["key"])
        told = judge(window, weights, costs)
        if not np.array_equal(told.net, night.series["net"][:, at]):
            raise ValueError(f"{one['name']}: judged again it gives other returns; the prices are of another night")
        price = window.open_raw[:-1]
        paid = trade_cost(costs, told.trades, np.nan_to_num(price), window.adv20_usd[:-1], window.vol20_daily[:-1])
        for rows, shares, more in ((trades, told.trades, {"cost_usd": paid}), (positions, told.shares,
                                                                              {"weight": weights})):
            session, name = np.nonzero(shares)
            rows.append({"session": night.sessions[session], "strategy": one["name"], "name": name,
                         "shares": shares[session, name].astype(np.int64), "price": price[session, name],
                         **{key: values[session, name] for key, values in more.items()}})
    return _table(trades, night, symbols), _table(positions, night, symbols)


def _table(parts: list[dict[str, Any]], night: "JudgedNight", symbols: dict[str, str]) -> "pa.Table":
    import pyarrow as pa

    name = np.concatenate([part["name"] for part in parts])
    known = np.array([symbols.get(one, one) for one in night.instruments])
    columns: dict[str, Any] = {
        "session": pa.array(np.concatenate([part["session"] for part in parts]).astype("datetime64[D]"), pa.date32()),
        "strategy": pa.array(np.repeat([part["strategy"] for part in parts], [len(part["name"]) for part in parts])),
        "instrument_id": pa.array(np.array(night.instruments)[name]), "symbol": pa.array(known[name])}
    for key in (key for key in parts[0] if key not in ("session", "strategy", "name")):
        columns[key] = pa.array(np.concatenate([part[key] for part in parts]), from_pandas=True)
    return pa.table(columns)


def write(folder: Path, night: "JudgedNight", decided: "Decided", window: "Prices", symbols: dict[str, str],
          about: str) -> dict[str, int]:
    """Each table whole as Parquet; as CSV too, returns whole, trades and positions of the strategy that the night is
    `about`. Returns how many rows of each."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.csv as pa_csv
    import pyarrow.parquet as pq

    trades, positions = book_tables(night, decided, window, symbols)
    told = {"judged-returns": returns_table(night), "judged-trades": trades, "judged-positions": positions}
    for name, table in told.items():
        out = pa.BufferOutputStream()
        pq.write_table(table, out, compression="zstd")
        durable.write_atomic(folder / f"{name}.parquet", out.getvalue().to_pybytes(), failpoint="export")
        text = pa.BufferOutputStream()
        short = table if name == "judged-returns" else table.filter(pc.equal(table["strategy"], about))
        pa_csv.write_csv(short, text)
        durable.write_atomic(folder / f"{name}.csv", text.getvalue().to_pybytes(), failpoint="export")
    return {name: table.num_rows for name, table in told.items()}
