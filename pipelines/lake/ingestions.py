"""`CBOEDataIngestion` and `FuturesVolumeIngestion`: what the marts have of one day, asked for by familiar names.

Bodies are pulled by `nightdesk ingest`, once and for all readers. What is asked here has been landed, on two clocks, so
every answer is there at once; people who know these names as coroutines may await it all the same.
"""

import datetime as dt
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

from pipelines.home import Home
from pipelines.lake import marts
from pipelines.lake.history import Day, as_date

# What a broker's CFD is called, and the index that the future and the CFD are both about.
CFD = {
    "ES": ("SPX500_USD", "SPX"), "NQ": ("NAS100_USD", "NDX"), "YM": ("US30_USD", "DJI"), "RTY": ("US2000_USD", "RUT"),
    "MES": ("SPX500_USD", "SPX"), "MNQ": ("NAS100_USD", "NDX"), "MYM": ("US30_USD", "DJI"),
    "M2K": ("US2000_USD", "RUT"), "FESX": ("EU50_EUR", "SX5E"), "FDAX": ("DE30_EUR", "DAX"),
    "GC": ("XAU_USD", None), "SI": ("XAG_USD", None), "CL": ("WTICO_USD", None), "NG": ("NATGAS_USD", None),
}  # fmt: skip
LEVELS = ("vah", "val", "poc")


class Told(dict[str, Any]):
    """An answer that is there already, and may be awaited."""

    def __await__(self) -> Generator[None, None, "Told"]:
        yield from ()
        return self


class Levels(list[float]):
    """The same, of prices."""

    def __await__(self) -> Generator[None, None, "Levels"]:
        yield from ()
        return self


class _Landed:
    def __init__(self, home: Home | Path | str, as_of: dt.datetime | None = None) -> None:
        self.home = home if isinstance(home, Home) else Home(Path(home))
        self.as_of = as_of


class CBOEDataIngestion(_Landed):
    """One day's options: the exchange's own statistics, and the newest chain of the session."""

    def fetch_daily_data(self, date: Day, underlying: str = "SPX") -> Told:
        """`statistics` by product, and `chain`, a table of contracts; either is empty where none was landed."""
        day = as_date(date)
        with marts.connect(self.home, as_of=self.as_of) as connection:
            chain = connection.sql(
                "select * from option_quotes where underlying = $1 and session = $2 and snapshot = "
                "(select max(snapshot) from option_quotes where underlying = $1 and session = $2) order by contract",
                params=[underlying, day],
            ).to_arrow_table()
            statistics = connection.sql(
                "select * from market_statistics where session = $1 order by product", params=[day]
            ).to_arrow_table().to_pylist()  # fmt: skip
        if not (chain.num_rows or statistics):
            raise KeyError(f"nothing of {underlying} or the exchange was landed for {day}: `nightdesk ingest` pulls it")
        return Told(session=day, underlying=underlying, statistics={row["product"]: row for row in statistics},
                    chain=chain)  # fmt: skip

    def calculate_0dte_metrics(self, data: Mapping[str, Any]) -> Told:
        """What the mart `option_metrics` says of this chain: 0DTE share, ratios, exposure, its flip, pins, iv30."""
        from models.market.options import option_metrics

        return Told(option_metrics(data["chain"]) if data["chain"].num_rows else {})

    def detect_pinning_levels(self, data: Mapping[str, Any]) -> Levels:
        """The strikes of most gamma times open interest, three at most."""
        return Levels(self.calculate_0dte_metrics(data).get("pin_strikes") or [])


class FuturesVolumeIngestion(_Landed):
    """One session's volume by price, its value area, and where these levels lie on a broker's CFD."""

    def fetch_volume_profile(self, contract: str, date: Day) -> Told:
        """`volumes` by price of one contract (ESU5), or of a root's front contract by volume (ES); by price too what
        was bought less what was sold (`delta`) and what changed hands in prints over 100 lots (`large`)."""
        import numpy as np

        from models.market.prints import LARGE_LOTS
        from models.market.volume_profile import tick_size

        day = as_date(date)
        with marts.connect(self.home, as_of=self.as_of) as connection:
            front = connection.execute(
                "select symbol from roll_calendar where root = $1 and session = $2 and rule = 'volume' "
                "union all (select symbol from futures_trades where root = $1 and session = $2 group by symbol "
                "order by sum(size) desc, symbol limit 1)", [contract, day],
            ).fetchall()  # fmt: skip
            symbol = front[0][0] if front else contract
            traded = connection.sql(
                "select root, price, sum(size)::bigint as size, sum(case side when 'B' then size when 'A' then -size "
                "else 0 end)::bigint as delta, sum(case when size > $3 then size else 0 end)::bigint as large "
                "from futures_trades where symbol = $1 and session = $2 group by all order by price",
                params=[symbol, day, LARGE_LOTS],
            ).to_arrow_table()  # fmt: skip
        if not traded.num_rows:
            raise KeyError(f"no trades of {contract} were landed for {day}: `nightdesk ingest` pulls them")
        root, prices = traded.column("root")[0].as_py(), traded.column("price").to_numpy()
        by_price = {told: dict(zip(prices.tolist(), traded.column(name).to_pylist(), strict=True))
                    for told, name in (("volumes", "size"), ("delta", "delta"), ("large", "large"))}
        return Told(contract=symbol, root=root, session=day, tick=tick_size(root, np.asarray(prices)), **by_price)

    def calculate_value_areas(self, volume_data: Mapping[str, Any]) -> Told:
        """`poc`, `vah` and `val` as the mart `volume_profile` has them."""
        import numpy as np

        from models.market.volume_profile import volume_profile

        prices, sizes = (np.array(list(part)) for part in zip(*volume_data["volumes"].items(), strict=True))
        named = {name: volume_data[name] for name in ("contract", "root", "session") if name in volume_data}
        return Told(**named, **volume_profile(prices, sizes, volume_data["tick"]))

    def map_to_cfd_instruments(self, levels: Mapping[str, Any]) -> Told:
        """Levels by the CFD's name. A CFD on an index stands where the index does, below or above its future by the
        basis, which is the contract's last price of the session less the index's close; where either is unknown it
        is None and the levels are the future's own."""
        name, index = CFD.get(levels["root"], (None, None))
        if name is None:
            raise KeyError(f"no CFD is known for {levels['root']}; known are {', '.join(CFD)}")
        basis = self._basis(levels["contract"], index, levels["session"])
        moved = {level: levels[level] - (basis or 0.0) for level in LEVELS}
        return Told({name: {**moved, "basis": basis, "contract": levels["contract"], "session": levels["session"]}})

    def _basis(self, symbol: str, index: str | None, session: dt.date) -> float | None:
        """Both at the minute at which the index stops: what trades on after it would be no basis."""
        from pipelines import calendars

        with marts.connect(self.home, as_of=self.as_of) as connection:
            level = connection.execute(
                'select close from index_levels where "index" = $1 and session = $2', [index, session]
            ).fetchall()
            price = level and connection.execute(
                "select close from futures_bars where symbol = $1 and session = $2 and bar_start < $3 "
                "order by bar_start desc limit 1", [symbol, session, calendars.close_at(session)],
            ).fetchall()  # fmt: skip
        return float(price[0][0] - level[0][0]) if level and price else None
