"""`SPXOptionsAnalyzer`: what the options on the S&P 500 say, from the marts, under the name that people know."""

import math
from typing import Any

from pipelines.lake import marts
from pipelines.lake.ingestions import Told, _Landed

_NEWEST = """
    select o.*, v.close as vix, x.close as vxn from option_metrics as o
    left join index_levels as v on v."index" = 'VIX' and v.session = o.session
    left join index_levels as x on x."index" = 'VXN' and x.session = o.session
    where o.underlying = 'SPX' order by o.session desc limit 1
"""
DEALERS = {"long": 1.0, "short": -1.0, "neutral": 0.0}


class SPXOptionsAnalyzer(_Landed):
    """Chains are pulled by `nightdesk ingest` from the exchange's public, delayed pages, whose greeks come with them;
    no broker is asked. The answer is there at once, and may be awaited."""

    def get_real_spx_data(self) -> Told:
        """Of the newest session with a chain: ratio, exposure in dollars a percent, its flip, dealers' side, VIX and
        VXN of that day. `tech_sentiment` is what the option block of the confluence score leans to, -1 to 1. A number
        that nobody told is NaN. KeyError where no chain was landed."""
        with marts.connect(self.home, as_of=self.as_of) as connection:
            found = connection.sql(_NEWEST).to_arrow_table().to_pylist()
        if not found:
            raise KeyError("no chain of SPX was landed: `nightdesk ingest` pulls them")
        (row,) = found
        return Told(
            session=row["session"], put_call_ratio=_number(row["put_call_ratio"]),
            gamma_exposure=_number(row["gamma_exposure"]), gamma_flip=_number(row["gamma_flip"]),
            vix_level=_number(row["vix"]), vxn_level=_number(row["vxn"]), dealer_position=row["dealer_position"],
            tech_sentiment=_lean(row),
        )  # fmt: skip


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _lean(row: dict[str, Any]) -> float:
    import numpy as np

    from models.signals.confluence import option_items, score

    calls, puts = _number(row["gamma_calls"]), _number(row["gamma_puts"])
    gamma = (calls - puts) / (calls + puts) if calls + puts > 0.0 else math.nan
    told = score(option_items(*(
        np.array([one]) for one in (gamma, _number(row["put_call_ratio"]), _number(row["iv30"]),
                                    DEALERS[row["dealer_position"]]))))
    return float(told.side[0] * (2.0 * told.percent[0] / 100.0 - 1.0)) if told.known[0] > 0.0 else math.nan
