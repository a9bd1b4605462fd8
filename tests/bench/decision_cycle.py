"""One decision, all in: features, three families of scores, sizing, limits, intents on disk, orders at the venue."""

import datetime as dt
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.measure import Row, Timing, apart, peak_mb, timed

BUNDLES = 12
LIFE = 5  # sessions that a bundle decides, the last four on bars that live saw itself: a new one comes each night


def _cycles(count: int) -> dict[str, Any]:
    """Seconds of each cycle with `count` instruments, from the bars being there to the sync of what was decided.

    Each bundle's first decision is among them. What comes between two decisions, a session and its bars, is not."""
    from live.adapters.paper import PaperVenue
    from live.book import Book
    from live.clock import TapeClock
    from live.desk import Desk
    from live.engine import Engine, Terms
    from live.journal import Journal
    from live.risk import KillSwitch, Limits
    from live.vitals import settle_heap
    from models.bundle import load
    from models.market.costs import CostModel
    from tests.bench.decision_data import calendar, day_bars, publish
    from tests.test_live.world import PUBLIC

    taken: list[float] = []
    cpu: list[float] = []
    orders = 0
    with tempfile.TemporaryDirectory() as folder:
        path, costs = publish(Path(folder) / "bundles", count), CostModel.default()
        first_at = calendar()[0].open_at - dt.timedelta(minutes=30)
        terms = Terms("paper", Limits(), costs, Path(folder) / "KILL")
        for number in range(BUNDLES):
            with Journal(Path(folder) / f"{number}.sqlite") as journal:
                bundle = load(path, [PUBLIC], 0, first_at)
                engine = Engine(bundle, journal, PaperVenue(costs), TapeClock(first_at), terms)
                settle_heap()  # as the runner does
                for times in calendar()[:LIFE]:
                    clock = TapeClock(times.open_at - dt.timedelta(minutes=30))
                    begun, worked = time.perf_counter(), time.process_time()
                    with journal.transaction():
                        desk = Desk(bundle, engine.tail, Book(costs.capital_usd), journal, PaperVenue(costs), clock,
                                    terms, times, engine.memory, KillSwitch(terms.kill_file))
                        desk.begin([])
                    taken.append(time.perf_counter() - begun)
                    cpu.append(time.process_time() - worked)
                    orders = desk.counts["orders"]
                    journal.rest()  # as the engine does once its orders are out
                    engine.tail.append(times.session, day_bars(bundle.snapshot.bars, times.session), [])
    return {"seconds": taken, "cpu": cpu, "orders": orders, "peak_mb": peak_mb()}


def _one_row() -> dict[str, Any]:
    """Scoring one name with our model beside LightGBM's own call for one row, turn by turn."""
    import lightgbm

    from models.gbm.score import GbmModel, session_inputs
    from models.snapshot import Snapshot
    from tests.bench.decision_data import publish, strategy

    with tempfile.TemporaryDirectory() as folder:
        path = publish(Path(folder), 1)
        text = (path / "gbm.txt").read_bytes()
        snapshot = Snapshot.from_files((path / "snapshot.safetensors").read_bytes(),
                                       (path / "snapshot.json").read_bytes())
    model, booster = GbmModel.from_bytes(text), lightgbm.Booster(model_str=text.decode())
    panel, config = snapshot.panel, strategy().gbm
    row = len(panel.sessions) - 1
    _, inputs = session_inputs(panel, row, config.features, config.context)
    one = np.zeros((1, inputs.shape[1]))
    ours = timed(lambda: model.rows(one), runs=500)
    theirs = timed(lambda: booster.predict(one, num_threads=1), runs=500)
    return {"ours_s": ours.median_s, "theirs_s": theirs.median_s, "p99_s": ours.quantile_s(0.99)}


def _ready() -> dict[str, Any]:
    """A process from its first import to the moment it could decide; memory with all three families loaded."""
    import tests.test_live.base_install  # noqa: F401  # without what only a night's install would have it load

    begun, worked = time.perf_counter(), time.process_time()
    from live.adapters.paper import PaperVenue
    from live.clock import TapeClock
    from live.engine import Engine, Terms
    from live.journal import Journal
    from live.risk import Limits
    from models.bundle import current, load
    from models.market.costs import CostModel

    folder, key = Path(sys.argv[2]), bytes.fromhex(sys.argv[3])
    at = dt.datetime.fromisoformat(sys.argv[4])
    found = current(folder / "bundles")
    assert found is not None
    costs = CostModel.default()
    with Journal(folder / "ready.sqlite") as journal:
        bundle = load(found, [key], 0, at)
        Engine(bundle, journal, PaperVenue(costs), TapeClock(at), Terms("paper", Limits(), costs, None))
        ready = time.perf_counter() - begun
    return {"seconds": ready, "cpu": time.process_time() - worked, "peak_mb": peak_mb()}


def rows() -> list[Row]:
    found = []
    for count in (1, 500):
        told = apart("decision_cycle", "cycles", str(count), OPENBLAS_NUM_THREADS="1")
        taken = Timing(told["seconds"][0], tuple(told["seconds"][1:]))
        busy = sorted(told["cpu"][1:])
        for name, share in (("p50", 0.5), ("p99", 0.99)):
            found.append(Row(f"decision_cycle/{count}/{name}", taken.quantile_s(share), taken.cold_s,
                             peak_mb=told["peak_mb"], samples=taken.runs,
                             note=f"{told['orders']} orders a cycle, journal synced, one BLAS thread; of it "
                                  f"{busy[int(share * (len(busy) - 1))] * 1e3:.1f} ms of CPU"))
    told = apart("decision_cycle", "one-row")
    found.append(Row("score_one_row", told["ours_s"], None, "lightgbm", told["theirs_s"], samples=500,
                     note=f"p99 {told['p99_s'] * 1e6:.0f} us"))
    from tests.bench.decision_data import calendar, publish
    from tests.test_live.world import PUBLIC

    with tempfile.TemporaryDirectory() as folder:
        publish(Path(folder) / "bundles", 500)
        words = (folder, PUBLIC.hex(), (calendar()[0].open_at - dt.timedelta(hours=1)).isoformat())
        starts = [apart("decision_cycle", "ready", *words) for _ in range(3)]
    middle = sorted(start["seconds"] for start in starts)[1]
    found.append(Row("start_to_ready", middle, starts[0]["seconds"], peak_mb=max(one["peak_mb"] for one in starts),
                     samples=3, note=f"500 names, all three families loaded; interpreter's own start apart; "
                                      f"{sorted(start['cpu'] for start in starts)[1]:.2f} s of CPU"))
    return found


if __name__ == "__main__":
    asked = {"cycles": lambda: _cycles(int(sys.argv[2])), "one-row": _one_row, "ready": _ready}[sys.argv[1]]
    print(json.dumps(asked()))
