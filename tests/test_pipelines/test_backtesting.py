"""`nightdesk backtest` on a recorded tape: both engines, a bundle and a rule, and the files that they leave."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from live import canonical
from live.journal import Journal
from live.trades import Trade
from models.intraday import StopRule
from models.signals.intraday import EmaCross, Reversion
from pipelines import backtesting
from pipelines import settings as settings_module
from pipelines.evidence.ledger import Ledger
from pipelines.home import Home
from pipelines.training.candidates import TARGET
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


def test_trips_are_what_lives_trades_make_of_the_event_engines_fills(desk: tuple[Home, str]) -> None:
    """Entry, exit, costs, R and how far it ran; a split and a dividend lie within the tape."""
    event, vector = run(desk, "event"), run(desk, "vector")
    told = {(row["instrument_id"], row["session"]): row for row in pq.read_table(vector["files"]["trades.parquet"])
            .to_pylist()}
    here = world.world()
    open_, found = {}, {}
    with Journal(Path(event["files"]["journal.sqlite"]), read_only=True) as book:
        for number, day in enumerate(here.coming[:3]):
            (decided,) = [entry.payload for entry in book.entries("decision", day)]
            risk = dict(zip(decided["names"], canonical.unpacked(decided["atr14_usd"]), strict=True))
            seen = dict(zip(decided["names"], canonical.unpacked(decided["reference"]), strict=True))
            for action in here.actions:
                if action.ex_date == day and action.instrument_id in open_:
                    open_[action.instrument_id].adjust(action)
            for fill in (entry.payload for entry in book.entries("fill", day)):
                name, left, one = fill["instrument_id"], fill["quantity"], open_.get(fill["instrument_id"])
                if one is not None and one.shares * left < 0:
                    closing = -one.shares if abs(left) >= abs(one.shares) else left
                    one.leave(closing, fill["price"], fill["cost"] * (closing / fill["quantity"]))
                    left -= closing
                    if one.shares == 0:
                        found[name, day.isoformat()] = open_.pop(name).told("SIGNAL", 0)
                if left:
                    side = 1 if left > 0 else -1
                    one = open_.setdefault(name, Trade(name, side, 0, None, float(seen[name]), float(risk[name])))
                    one.add(left, fill["price"], fill["cost"] * (left / fill["quantity"]))
            for index, name in enumerate(world.NAMES):
                if name in open_:
                    bars = here.minutes[number, index]
                    open_[name].reach(float(bars[:, 1].max()), float(bars[:, 2].min()))
    assert set(told) == set(found) and len(told) >= 2
    for key, row in told.items():
        for name in ("side", "shares", "entry", "exit", "costs", "pnl", "R", "mfe_R", "mae_R", "slippage_bp"):
            assert row[name] == pytest.approx(found[key][name], rel=1e-9, abs=0.005), (key, name)
        assert row["holding_min"] >= 1440.0 and row["opened_at"] < row["closed_at"]


def test_the_vector_engine_tells_each_charge_and_each_position(desk: tuple[Home, str]) -> None:
    frames = backtesting.frames(Path(run(desk, "vector")["files"]["index.html"]).parent)
    equity, positions = frames["equity"], frames["positions"]
    kinds = equity[["spread_usd", "impact_usd", "fees_usd", "borrow_usd", "funding_usd"]].sum(axis=1)
    assert kinds.to_numpy() == pytest.approx(equity["costs_usd"].to_numpy())
    assert positions["cost_usd"].sum() == pytest.approx(equity["costs_usd"].sum())
    assert (equity["gross_exposure"] > 0.5).all() and (equity["turnover"] > 0.0).any()


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


def test_what_is_looked_at_by_hand_is_a_row_before_it_is_scored_and_the_same_look_is_the_same_row(
    desk: tuple[Home, str],
) -> None:
    home = desk[0]
    (home.root / "ledger" / "trials.jsonl").unlink(missing_ok=True)
    (home.root / "ledger" / "trials.head").unlink(missing_ok=True)
    cross = backtesting.intraday_of("ema_cross:fast=5,slow=20", 5, "weight:0.1", None, False)
    for engine, words in (("vector", {}), ("vector", {}), ("event", {"intraday": cross})):
        run(desk, engine, **words)
    rows = Ledger(home.ledger).rows()
    assert [(row["kind"], row["target"], row["detail"]["name"]) for row in rows] == [
        ("backtest", TARGET, "hand-made"), ("backtest", "intraday-equity", "ema_cross")]
    assert Ledger(home.ledger).n(TARGET) == Ledger(home.ledger).verify() - 1 == 1


def test_what_is_typed_is_understood() -> None:
    made = backtesting.intraday_of("reversion", 15, "shares:100", "trailing:pct=0.01", False)
    assert made.rule == Reversion() and made.stop == StopRule("trailing", pct=0.01) and made.every_minutes == 15
    made = backtesting.intraday_of("ema_cross:fast=5,slow=9,short=true", 5, "weight:1", "time:bars=30", True)
    assert made.rule == EmaCross(5, 9, True) and made.stop == StopRule("time", bars=30) and made.size.amount == 1.0


@pytest.mark.parametrize(("words", "match"), [
    ("--rule ema_crss", "did you mean ema_cross"), ("--rule ema_cross:fats=3", "fast"),
    ("--rule ema_cross:fast=ten", "fast is a whole number, not 'ten'"),
    ("--rule ema_cross:fast=10.5", "a whole number"), ("--rule ema_cross:short=1", "true or false"),
    ("--rule reversion:entry=x", "entry is a number"), ("--rule ema_cross:fast=20,slow=10", "not faster"),
    ("--rule ema_cross --size shares", "lacks its amount"), ("--rule ema_cross --size magic:1", "choose one of weight"),
    ("--rule ema_cross --size shares:-5", "above nought"), ("--rule ema_cross --size weight:lots", "a number"),
    ("--rule ema_cross --stop magic:pct=1", "choose one of"), ("--rule ema_cross --stop fixed", "fixed:pct=0.01"),
    ("--rule ema_cross --stop atr:multiple=-1", "above nought"), ("--rule ema_cross --stop time:bars=1.5", "whole"),
    ("--rule ema_cross --engine vector --stop fixed:pct=0.01", "--engine event"),
    ("--rule ema_cross --engine vector --flat", "--engine event"), ("--stop fixed:pct=0.01", "add --rule"),
    ("--every 3 --size shares:5", "--every, --size would change nothing"), ("--bundle {home}/nowhere", "no bundle at"),
    ("--feed nowhere", "use sandbox, or replay:"), ("--feed replay:{home}/nope.parquet", "no tape at"),
    ("--out {home}/layout.json --feed nowhere", "cannot be a folder"),
    ("--feed sandbox", "start with `nightdesk nightly`"),
    ("--set sandbox.nmaes=3", "names")])
def test_what_makes_no_sense_is_answered_in_one_sentence(
    words: str, match: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:
    from pipelines import cli

    home = Home(tmp_path / "home").prepare().root
    typed = ["nightdesk", "backtest", "--home", str(home), *words.format(home=home).split()]
    monkeypatch.setattr("sys.argv", typed)
    assert cli.run_app() == 2
    said = capfd.readouterr().err.strip().splitlines()
    assert match in said[-1] and "Traceback" not in "".join(said)


def test_what_no_trade_can_tell_is_null_and_unknown(desk: tuple[Home, str], capsys: pytest.CaptureFixture[str]) -> None:
    told = run(desk, "event")
    assert told["trades"] == 0 and told["figures"]["mean_R"] is None
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    backtesting.print_result({**told, "figures": {**told["figures"], "trades": 1, "wins": 1.0}})
    assert "R unknown, MAE unknown, MFE unknown, won 100%" in capsys.readouterr().out


def test_the_help_teaches() -> None:
    from typer.testing import CliRunner

    from pipelines import cli

    told = " ".join(CliRunner().invoke(cli.app, ["backtest", "--help"], env={"COLUMNS": "200"}).output.split())
    for words in ("ema_cross:fast=10,slow=20", "reversion:window=20,entry=2", "replay:TAPE.parquet", "--engine vector",
                  "positions and each charge", "PortfolioBacktester"):
        assert words in told
