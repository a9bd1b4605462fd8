"""A challenger decides beside the champion and sends nothing; what was not traded is executed in thought."""

from pathlib import Path

import pytest

from live.journal import Journal
from live.replay import replay
from live.risk import Limits
from live.virtual import not_traded, shadows
from models.market.costs import CostModel
from tests.test_live import world
from tests.test_live.test_api import account
from tests.test_live.test_running import runner

COSTS = CostModel.default()


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return world.publish(tmp_path_factory.mktemp("bundles"))


def test_a_challenger_that_is_the_champion_decides_as_it_does_and_changes_nothing(
    bundles: Path, tmp_path: Path
) -> None:
    tape = world.tape(tmp_path / "tape.parquet", 0, 4)
    alone = replay(bundles, tape, tmp_path / "alone.sqlite", verify_keys=[world.PUBLIC])
    beside = replay(bundles, tape, tmp_path / "j.sqlite", verify_keys=[world.PUBLIC], shadow=bundles)
    assert [row.pnl for row in beside.sessions] == [row.pnl for row in alone.sessions]
    with Journal(tmp_path / "j.sqlite") as book, Journal(tmp_path / "alone.sqlite") as other:
        kinds = [entry.kind for entry in book.entries() if entry.kind != "shadow"]
        assert kinds == [entry.kind for entry in other.entries()]
        decided = {entry.session: entry.payload for entry in book.entries("decision")}
        rows = list(book.entries("shadow"))
        assert len(rows) == 4 and all(entry.payload["weights"] == decided[entry.session]["weights"] for entry in rows)
        told = shadows(book, COSTS)
        assert not list(book.entries("intent", since=10**9)) and book.verify()
    assert [one["agreement"] for one in told] == pytest.approx([1.0] * 4)
    assert [one["pnl"] is None for one in told] == [False, False, False, True]  # the last is not over
    again = replay(bundles, tape, tmp_path / "j.sqlite", verify_keys=[world.PUBLIC], shadow=bundles)
    assert again.journal_head == beside.journal_head


def test_a_shadows_profit_is_what_its_positions_made_from_open_to_open(bundles: Path, tmp_path: Path) -> None:
    replay(bundles, world.tape(tmp_path / "tape.parquet", 0, 2), tmp_path / "j.sqlite", verify_keys=[world.PUBLIC],
           shadow=bundles)
    with Journal(tmp_path / "j.sqlite") as book:
        first = shadows(book, COSTS)[0]
        outcome = next(iter(book.entries("outcome"))).payload["items"]
        fills = [entry.payload for entry in book.entries("fill", world.world().coming[0])]
    assert first["pnl"] + first["costs"] == pytest.approx(sum(item["pnl"] for item in outcome.values()))
    assert first["costs"] == pytest.approx(sum(fill["cost"] for fill in fills))


def test_a_challenger_that_cannot_be_trusted_stops_nobody(bundles: Path, tmp_path: Path) -> None:
    bad = world.publish(tmp_path / "bad")
    (folder,) = bad.glob("0*")
    (folder / "gbm.txt").write_bytes(b"not a model")
    one = runner(bundles, tmp_path, shadow=bad)
    report = one.run()
    assert report.sessions[0].fills > 0 and "no shadow run" in report.notes[0]
    with Journal(tmp_path / "live.sqlite", read_only=True) as book:
        assert not list(book.entries("shadow"))


def test_a_runner_in_real_time_has_a_shadow_too(bundles: Path, tmp_path: Path) -> None:
    report = runner(bundles, tmp_path, shadow=bundles).run()
    assert report.sessions[0].fills > 0 and not report.notes
    with Journal(tmp_path / "live.sqlite", read_only=True) as book:
        kinds = [entry.kind for entry in book.entries()]
        assert kinds.count("shadow") == 1 and kinds.index("shadow") < kinds.index("decision")


def test_signals_that_a_limit_refused_are_executed_in_thought_and_tracked(bundles: Path, tmp_path: Path) -> None:
    tape = world.tape(tmp_path / "tape.parquet", 0, 4)
    free = replay(bundles, tape, tmp_path / "free.sqlite", verify_keys=[world.PUBLIC])
    replay(bundles, tape, tmp_path / "j.sqlite", verify_keys=[world.PUBLIC], limits=Limits(max_gross=0.0))
    with Journal(tmp_path / "j.sqlite") as book, Journal(tmp_path / "free.sqlite") as other:
        told = not_traded(book)
        lived = next(iter(other.entries("outcome"))).payload["items"]
    first = {one["instrument_id"]: one for one in told if one["session"] == world.world().coming[0].isoformat()}
    for name, item in lived.items():
        mine = first[name]
        assert mine["why"].startswith("refused by ") and mine["outcome"] == "TIMEOUT"
        assert (mine["shares"], mine["entry"], mine["exit"]) == (item["shares"], item["entry"], item["exit"])
        assert mine["R"] == pytest.approx(item["R"]) and mine["mae_R"] <= mine["R"] <= mine["mfe_R"]
    assert {one["outcome"] for one in told if one["session"] == world.world().coming[3].isoformat()} == {"OPEN"}
    assert free.sessions[0].fills and len(first) == len(lived)
    held = first[world.NAMES[1]]
    assert held["pnl"] is not None


def test_the_view_tells_both(bundles: Path, tmp_path: Path) -> None:
    replay(bundles, world.tape(tmp_path / "tape.parquet", 0, 2), tmp_path / "j.sqlite", verify_keys=[world.PUBLIC],
           limits=Limits(max_order_notional_usd=30_000.0), shadow=bundles)
    told = account(tmp_path).view.signals()
    assert {one["kind"] for one in told["not_traded"]} == {"not traded"} and len(told["shadows"]) == 2
