"""Live computes, decides and fills what research computed, decided and judged: P1 to P4."""

from pathlib import Path

import numpy as np
import pytest

from live import canonical
from live.journal import Journal
from live.replay import replay
from live.risk import Limits
from models.backtest.judge import judge
from models.backtest.prices import Prices
from models.market.costs import CostModel, borrow_cost
from models.strategy import Models, decide_many
from tests.test_live import world

COUNT = 4  # of the coming sessions; the split and the dividend go ex on the third


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("parity")
    report = replay(world.publish(folder / "bundles"), world.tape(folder / "tape.parquet", 0, COUNT),
                    folder / "journal.sqlite", verify_keys=[world.PUBLIC], limits=Limits.off())
    assert [result.session for result in report.sessions] == [day.isoformat() for day in world.world().coming[:COUNT]]
    return folder / "journal.sqlite"


@pytest.fixture(scope="module")
def models() -> Models:
    files = world.contents()
    return Models.from_bytes(hmm=files["hmm.json"], gbm=files["gbm.txt"], gnn=files["gnn.safetensors"])


def rows_of(path: Path, kind: str) -> list[dict]:
    book = Journal(path, read_only=True)
    rows = [entry.payload for entry in book.entries(kind)]
    book.close()
    return rows


def test_p1_live_feature_rows_are_the_batch_rows(journal: Path) -> None:
    panel = world.world().panel()
    rows = [row for entry in rows_of(journal, "features") for row in entry["rows"]]
    assert len(rows) == COUNT
    assert [entry["features_as_judged"] for entry in rows_of(journal, "decision")] == [True, None, None, None]
    for offset, row in enumerate(rows):
        expected = panel.values[world.PAST - 1 + offset]
        assert str(panel.sessions[world.PAST - 1 + offset]) == row["session"]
        assert canonical.unpacked(row["values"]).tobytes() == expected.tobytes()
        assert np.isfinite(expected).all()


def test_p2_p3_scores_and_weights_are_the_judged_ones(journal: Path, models: Models) -> None:
    panel = world.world().panel()
    judged = decide_many(world.STRATEGY, models, panel, range(world.PAST - 1, world.PAST - 1 + COUNT))
    for entry, expected in zip(rows_of(journal, "decision"), judged, strict=True):
        assert entry["regime"] == expected.regime
        for name in ("gbm", "gnn", "score", "weights"):
            assert canonical.unpacked(entry[name]).tobytes() == getattr(expected, name).tobytes(), name
        assert np.abs(expected.weights).sum() > 0.5


def test_p4_fills_and_costs_are_the_judges_to_the_cent(journal: Path, models: Models) -> None:
    here, costs = world.world(), CostModel.default()
    panel = here.panel()
    raw = here.raw
    prices = Prices.from_bars(
        np.array(here.sessions, "datetime64[D]"), world.NAMES, open_raw=raw["open"], close_raw=raw["close"],
        volume=raw["volume"], split_factor=raw["split_factor"], total_return_factor=raw["total_return_factor"],
        tradable=np.ones(raw["open"].shape, dtype=bool),
    ).rows(world.PAST, world.PAST + COUNT + 1)
    decided = decide_many(world.STRATEGY, models, panel, range(world.PAST - 1, world.PAST - 1 + COUNT))
    told = judge(prices, np.stack([decision.weights for decision in decided]), costs)
    book = Journal(journal, read_only=True)
    for s, session in enumerate(here.coming[:COUNT]):
        fills = {entry.payload["instrument_id"]: entry.payload for entry in book.entries("fill", session)}
        traded = np.array([fills[name]["quantity"] if name in fills else 0 for name in world.NAMES], dtype=float)
        assert traded.tolist() == told.trades[s].tolist()
        assert all(fills[name]["price"] == prices.open_raw[s, i] for i, name in enumerate(world.NAMES) if name in fills)
        paid = sum(fill["cost"] for fill in fills.values())
        borrow = borrow_cost(costs, told.shares[s] * prices.open_raw[s]).sum()
        assert round(paid + borrow, 2) == round(told.cost[s] * costs.capital_usd, 2)
        (close,) = book.entries("close", session)
        assert close.payload["borrow"] == pytest.approx(borrow, abs=0.005)
    assert np.abs(told.trades).sum() > 0
    book.close()
