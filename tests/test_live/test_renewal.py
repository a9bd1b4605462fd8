"""A bundle changes between two bars, with its delta told first; one past its sessions may only be closed."""

import datetime as dt
import json
from pathlib import Path

from live.adapters.bundles import FolderBundles
from live.adapters.paper import PaperVenue
from live.clock import TapeClock
from live.engine import Engine, Terms
from live.fakes import ListFeed
from live.journal import Journal
from live.ports import Bar
from live.renewal import Renewal, take
from live.risk import Limits
from models.market.costs import CostModel
from pipelines import calendars
from tests.test_live import world
from tests.test_live.test_replay import bars

COMING = world.world().coming


def trading(bundles: Path, journal: Journal, session: int = 0) -> Engine:
    clock = TapeClock(calendars.open_at(COMING[session]) - dt.timedelta(hours=1))
    costs = CostModel.default()
    bundle = take(FolderBundles(bundles), journal, [world.PUBLIC], clock)
    assert bundle is not None
    return Engine(bundle, journal, PaperVenue(costs), clock, Terms("paper", Limits(), costs, None),
                  renewal=Renewal(FolderBundles(bundles), [world.PUBLIC]))


def test_a_new_bundle_is_taken_up_between_two_bars_with_its_delta_told_first(tmp_path: Path) -> None:
    bundles = world.publish(tmp_path / "bundles")

    def publish(bar: Bar) -> None:
        if bar.start_us == bars(0)[-1].start_us and not (bundles / "current").read_text().startswith("000002"):
            world.publish(bundles, seq=2)

    with Journal(tmp_path / "j.sqlite") as journal:
        engine = trading(bundles, journal)
        engine.run_session(COMING[0], ListFeed({COMING[0]: bars(0)}, meanwhile=publish))
        told = [entry for entry in journal.entries() if entry.kind in ("renewal", "bundle")]
        assert [entry.kind for entry in told] == ["bundle", "renewal", "bundle"]
        renewal = told[1].payload
        assert (renewal["from"]["seq"], renewal["to"]["seq"]) == (1, 2)
        held = next(iter(journal.entries("close"))).payload["book"]["holdings"]
        assert renewal["held"] == {name: row[0] for name, row in held.items()}  # positions carry over
        assert renewal["delta"] == {name: shares - renewal["held"].get(name, 0) for name, shares in
                                    renewal["wanted"].items() if shares != renewal["held"].get(name, 0)}
        fills = len(list(journal.entries("fill")))
        engine.run_session(COMING[1], ListFeed({COMING[1]: bars(1)}))
        decision = list(journal.entries("decision"))[-1].payload
        assert decision["bundle"]["seq"] == 2 and len(list(journal.entries("fill"))) > fills
        assert journal.verify()


def test_what_was_taken_up_trades_as_if_it_had_been_there_from_the_start(tmp_path: Path) -> None:
    """The same weights under a new number decide the next session to the bit."""
    wanted = []
    for renewed in (False, True):
        bundles = world.publish(tmp_path / f"{renewed}")
        with Journal(tmp_path / f"{renewed}.sqlite") as journal:
            engine = trading(bundles, journal)
            publish = (lambda bar, place=bundles: (place / "000002").exists() or _once(place)) if renewed else None
            feed = ListFeed({COMING[0]: bars(0)}, **({"meanwhile": publish} if publish else {}))
            engine.run_session(COMING[0], feed)
            engine.run_session(COMING[1], ListFeed({COMING[1]: bars(1)}))
            decision = list(journal.entries("decision"))[-1].payload
            wanted.append({name: decision[name] for name in ("weights", "wanted", "score", "regime", "reference")})
    assert json.dumps(wanted[0]) == json.dumps(wanted[1])


def _once(bundles: Path) -> None:
    if len(list(bundles.glob("0*"))) == 1:
        world.publish(bundles, seq=2)


def test_a_forged_bundle_is_refused_once_and_the_one_in_use_goes_on(tmp_path: Path) -> None:
    bundles = world.publish(tmp_path / "bundles")

    def forge(bar: Bar) -> None:
        if len(list(bundles.glob("0*"))) == 1:
            world.publish(bundles, seq=2)
            path = bundles / (bundles / "current").read_text().strip() / "gbm.txt"
            path.write_bytes(path.read_bytes().replace(b"leaf_value=", b"leaf_value=9", 1))

    with Journal(tmp_path / "j.sqlite") as journal:
        engine = trading(bundles, journal)
        for number in (0, 1):
            engine.run_session(COMING[number], ListFeed({COMING[number]: bars(number)}, meanwhile=forge))
        (refused,) = [entry.payload for entry in journal.entries("hazard") if entry.payload["kind"] == "bundle_refused"]
        assert "not the file that was signed" in refused["reason"]
        assert {entry.payload["bundle"]["seq"] for entry in journal.entries("decision")} == {1}


def test_past_its_sessions_a_bundle_that_was_taken_only_closes(tmp_path: Path) -> None:
    expires = calendars.close_at(COMING[0])
    bundles = world.publish(tmp_path / "bundles", expires=expires)
    with Journal(tmp_path / "j.sqlite") as journal:
        trading(bundles, journal).run_session(COMING[0], ListFeed({COMING[0]: bars(0)}))
        held = {name: row[0] for name, row in journal.last("close").payload["book"]["holdings"].items()}  # type: ignore[union-attr]
        engine = trading(bundles, journal, 1)  # a restart after its end: somebody must look after the positions
        engine.run_session(COMING[1], ListFeed({COMING[1]: bars(1)}))
        decision = list(journal.entries("decision", COMING[1]))[0].payload
        assert decision["expired"] and decision["state"] == "REDUCING"
        intents = [entry.payload for entry in journal.entries("intent", COMING[1])]
        assert intents and all(abs(held[row["instrument_id"]] + row["quantity"]) < abs(held[row["instrument_id"]])
                               and held[row["instrument_id"]] * row["quantity"] < 0 for row in intents)
