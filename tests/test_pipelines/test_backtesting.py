"""`nightdesk backtest` on a recorded tape: both engines, a bundle and a rule, and the files that they leave."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from models.intraday import StopRule
from models.signals.intraday import Reversion
from pipelines import backtesting
from pipelines import settings as settings_module
from pipelines.home import Home
from tests.test_live import world


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, str]:
    home = Home(tmp_path_factory.mktemp("home")).prepare()
    (home.keys / "trusted").mkdir(parents=True, exist_ok=True)
    (home.keys / "trusted" / "desk.pub").write_text(world.PUBLIC.hex())
    world.publish(home.bundles)
    return home, f"replay:{world.tape(home.root / 'tape.parquet', 0, 4)}"


def run(desk: tuple[Home, str], engine: str, **words: object) -> dict:
    home, feed = desk
    settings = settings_module.load({"home": str(home.root)})
    told = {"bundle_dir": None, "sessions": 1, "intraday": None, "out": None, **words}
    return backtesting.run(settings, home, engine=engine, feed=feed, **told)  # type: ignore[arg-type]


def test_the_two_engines_agree_on_a_bundles_orders_and_costs(desk: tuple[Home, str]) -> None:
    event, vector = run(desk, "event"), run(desk, "vector")
    assert event["figures"]["sessions"] == 4 and vector["figures"]["sessions"] == 3  # its last holding is not closed
    assert event["figures"]["orders"] >= vector["figures"]["orders"] > 10
    for one, other in zip(event["sessions"][:2], vector["sessions"], strict=False):
        assert one["costs"] == pytest.approx(other["costs"], abs=0.01)
    assert {"equity.parquet", "index.html", "journal.sqlite"} <= set(event["files"])
    page = Path(event["files"]["index.html"]).read_text()
    assert "hand-made, event engine" in page and "<script" not in page and "http" not in page
    table = pq.read_table(event["files"]["equity.parquet"])
    assert table["equity_usd"].to_pylist() == [row["equity"] for row in event["sessions"]]


def test_a_rule_is_traded_on_the_tape_with_its_stop(desk: tuple[Home, str], capsys: pytest.CaptureFixture[str]) -> None:
    stop = "fixed:pct=0.002,reward_risk=2"
    rule = backtesting.intraday_of("reversion:window=3,entry=1.0", 1, "weight:0.05", stop, True)
    told = run(desk, "event", intraday=rule)
    assert told["trades"] == told["figures"]["trades"] > 5
    backtesting.print_result(told)
    assert "a trade: R" in capsys.readouterr().out
    frames = backtesting.frames(Path(told["files"]["index.html"]).parent)
    assert len(frames["trades"]) == told["trades"] and set(frames["trades"]["reason"]) & {"SL", "TP"}
    assert "SL" in Path(told["files"]["index.html"]).read_text()
    with pytest.raises(ValueError, match="--engine event"):
        run(desk, "vector", intraday=rule)


def test_what_is_typed_is_understood_or_refused_in_plain_words() -> None:
    made = backtesting.intraday_of("reversion", 15, "shares:100", "trailing:pct=0.01", False)
    assert made.rule == Reversion() and made.stop == StopRule("trailing", pct=0.01) and made.every_minutes == 15
    for words, match in ((("nonsense", 5, "weight:1", None, False), "choose one of"),
                         (("ema_cross:fats=3", 5, "weight:1", None, False), "fast"),
                         (("ema_cross", 5, "weight:1", "magic:pct=1", False), "choose one of")):
        with pytest.raises(ValueError, match=match):
            backtesting.intraday_of(*words)  # type: ignore[arg-type]
