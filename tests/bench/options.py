"""A chain's metrics, from the mart's rows to positioning: beside them the same figures written out by hand in NumPy."""

from typing import Any

import numpy as np

from tests.bench.chain_data import CONTRACTS, SESSION, SNAPSHOT, SPOT, chain
from tests.bench.measure import Row, apart, peak_mb, peer, timed

RUNS = 7


def by_hand(columns: dict[str, Any]) -> dict[str, float]:
    """Volumes, 0DTE share, exposure, its flip and the pins, straight from arrays; nothing missing is looked for."""
    call, volume, interest, strike = (columns[name] for name in ("call", "volume", "open_interest", "strike"))
    signed = np.where(call, interest, -interest)
    exposure = float((columns["gamma"] * signed).sum() * SPOT * SPOT)
    live = columns["years"] > 0
    k, width, book = strike[live], columns["iv"][live] * np.sqrt(columns["years"][live]), signed[live]

    def priced(level: float) -> float:
        d1 = np.log(level / k) / width + width / 2
        return float((np.exp(-d1 * d1 / 2) / (np.sqrt(2 * np.pi) * level * width) * book).sum() * level * level)

    grid = SPOT * np.linspace(0.75, 1.25, 101)
    values = np.array([priced(level) for level in grid])
    flips = []
    for at in np.flatnonzero(np.sign(values[:-1]) != np.sign(values[1:])):
        low, high = grid[at], grid[at + 1]
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (low, middle) if (priced(middle) > 0) == (values[at + 1] > 0) else (middle, high)
        flips.append((low + high) / 2)
    levels, place = np.unique(strike, return_inverse=True)
    pins = levels[np.argsort(-np.bincount(place, columns["gamma"] * interest))[:3]]
    return {
        "gamma_exposure": exposure, "gamma_flip": min(flips, key=lambda one: abs(one - SPOT)), "pin": float(pins[0]),
        "share_0dte": float(volume[columns["same_day"]].sum() / volume.sum()),
        "put_call_ratio": float(volume[~call].sum() / volume[call].sum()),
    }  # fmt: skip


def arrays(table: Any) -> dict[str, Any]:
    found = {name: table[name].to_numpy() for name in ("volume", "open_interest", "strike", "gamma", "iv")}
    days = np.array([(day - SESSION).days for day in table["expiry"].to_pylist()])
    found["years"] = (days * 86_400 + (20 * 3600 - SNAPSHOT.hour * 3600 - SNAPSHOT.minute * 60)) / (365 * 86_400)
    return found | {"call": np.array(table["right"].to_pylist()) == "C", "same_day": days == 0}


def main() -> None:
    import json

    from models.market.options import option_metrics

    option_metrics(chain())
    print(json.dumps({"peak_mb": peak_mb()}))


def rows() -> list[Row]:
    from models.market.options import option_metrics

    table = chain()
    columns = arrays(table)
    ours, theirs = option_metrics(table), by_hand(columns)
    for name in ("gamma_exposure", "share_0dte", "put_call_ratio", "gamma_flip"):
        assert np.isclose(ours[name], theirs[name], rtol=1e-6), (name, ours[name], theirs[name])
    assert ours["pin_strikes"][0] == theirs["pin"]
    mine, plain = timed(lambda: option_metrics(table), runs=RUNS), timed(lambda: by_hand(columns), runs=RUNS)
    alone = apart("options")["peak_mb"]
    note = (f"{CONTRACTS:,} contracts, {CONTRACTS / mine.median_s:,.0f}/s, {mine.median_s / plain.median_s:.1f} times "
            f"NumPy by hand (five of our figures); {mine.cpu_words}, by hand {plain.cpu_words}")  # fmt: skip
    vollib = peer("vollibpin", "peers.vollib", str(CONTRACTS))
    note += f", the peer {vollib['cpu_words']}" if vollib else ""
    return [
        Row("options/chain_metrics", mine.median_s, mine.cold_s, "py_vollib_vectorized (iv, greeks, exposure)",
            vollib["seconds"] if vollib else None, plain.median_s, alone, RUNS, note),
    ]  # fmt: skip


if __name__ == "__main__":
    main()
