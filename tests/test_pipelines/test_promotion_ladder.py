"""The ladder: sessions lived, parity, and sessions nobody could choose by let a strategy climb, and nothing else."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from live.journal import Journal
from live.rungs import refuse_below_canary
from models.bundle import BundleRefused
from models.validation import rungs
from pipelines import calendars
from pipelines import settings as settings_module
from pipelines.evidence import inventory, keys, ladder, publish
from pipelines.evidence.acts import Acts, publish_climb
from pipelines.evidence.judged import SERIES, SLOT, JudgedNight
from pipelines.evidence.ledger import Ledger
from pipelines.evidence.lived import lived
from pipelines.evidence.records import Records, RecordsBroken
from pipelines.evidence.standing import standing
from pipelines.home import Home
from pipelines.training.candidates import TARGET
from tests import OWN
from tests.test_models import little_bundle

KEY = "k"
THEN = dt.datetime(2025, 3, 3, 6, tzinfo=dt.UTC)
LATER = dt.datetime(2025, 7, 1, 6, tzinfo=dt.UTC)
DAYS = np.array(calendars.previous_sessions(dt.date(2025, 6, 30), 160), "datetime64[D]")


def night(fresh_sharpe: float, upto: dt.date = dt.date(2025, 6, 30)) -> JudgedNight:
    """One candidate: Sharpe 4 until it was let through, then what is asked for; every figure exact, not drawn."""
    days = DAYS[DAYS <= np.datetime64(upto)]
    shape = np.tile([1.0, -1.0], len(DAYS))[: len(days)] * 0.01
    later = days >= np.datetime64(THEN.date())
    active = shape + 0.01 / np.sqrt(252) * np.where(later, fresh_sharpe, 4.0)
    series = {name: active[:, None] for name in SERIES}
    told = ({"name": "little", "key": KEY, "kind": "candidate", "config": {}},)
    return JudgedNight(days, ("A",), told, series, 0.0 * active, 0.0, 0, np.zeros((len(days), 1), np.int32), "d", {})


@pytest.fixture
def desk(tmp_path):
    """A home whose slot is held by a little bundle, let through on the third of March."""
    home = Home(tmp_path / "home").prepare()
    ledger, ours = Ledger(home.ledger), keys.open_or_create(home.keys)
    ledger.register("outer", TARGET, KEY, 7, {"data": "a"}, THEN)
    content = {"act": "promote", "attempted": "promote", "slot": SLOT, "strategy": "little", "key": KEY,
               "inputs_digest": "1", "ledger": {"n": 1, "head": ledger.head},
               "verdict": {"checks": [], "figures": {"sharpe_active": 4.0, "luck_sharpe": 1.0}}}
    record = Records(home).append(content, night(4.0, THEN.date() - dt.timedelta(days=1)).to_files(), THEN, ours)
    draft = replace(little_bundle.draft(), evidence_digest=record.content_digest, expires=LATER + dt.timedelta(days=9))
    publish.publish(home, little_bundle.contents(), draft, ours)
    return home


def settings(home, **more):
    return settings_module.load({"home": str(home.root), **more}, environment=OWN)


def live_through(home: Home, count: int, *, score: float = 0.0, folder: str | None = None) -> None:
    """So many sessions in the journal, decided by what serves, and what the morning after found of each."""
    serving = folder or publish.check_serving(home).name
    days = [day for day in DAYS.astype(object) if day >= THEN.date()][:count]
    with Journal(home.journal / "paper.sqlite", synced=False) as book:
        at = book.head()[0]
        for number, day in enumerate(days):
            profit = 500.0 + at + 30.0 * (number % 3)
            book.append("decision", day, LATER, {"bundle": {"folder": serving}, "strategy": {"key": KEY}})
            book.append("close", day, LATER, {"pnl": profit, "start_equity": 1e6, "orders": 5, "refused": 0})
    told = [{"session": str(day), "unexplained": 0.0,
             "parts": {"feature": 0.0, "score": score, "fill price": -20.0, "cost": 1.0}} for day in days]
    home.write_section("twin", {"sessions": told})


def held(home):
    return standing(Records(home).all(), SLOT)


def test_what_was_lived_and_nobody_could_choose_by_lets_it_climb(desk):
    live_through(desk, 25)
    section = ladder.step(desk, settings(desk), night(6.0), LATER)
    assert section["acted"] == "climb" and section["rung"] == "canary" and held(desk).rung == "canary"
    serving = publish.manifest_of(publish.check_serving(desk))
    assert (serving.rung, serving.seq, serving.capital_share) == ("canary", 2, 0.1)
    refuse_below_canary(serving)  # live lets it have a venue with books of its own
    record = Records(desk).last()
    assert ladder.recomputed(record) == record.content["checks"] and record.content["plan"]["capital_share"] == 0.1
    assert inventory.verify(desk)["records"] == inventory.verify(desk)["bundle"] == "ok"
    again = ladder.step(desk, settings(desk), night(6.0), LATER)
    assert again["acted"] is None and len(Records(desk).all()) == 2
    assert [one["name"] for one in again["next"]["checks"] if not one["passed"]] == \
        ["sessions_lived", "decision_parity", "slippage"]  # sessions on paper do not count for the next rung


@pytest.mark.parametrize(("sessions", "score", "sharpe", "open_"), [
    (19, 0.0, 6.0, ["sessions_lived", "decision_parity"]), (25, 3.0, 6.0, ["decision_parity"]),
    (25, 0.0, 0.0, ["fresh_evidence"]), (25, 0.0, -4.0, ["fresh_evidence"])])
def test_whatever_is_open_keeps_it_on_paper(desk, sessions, score, sharpe, open_):
    live_through(desk, sessions, score=score)
    section = ladder.step(desk, settings(desk), night(sharpe), LATER)
    assert section["acted"] is None and section["rung"] == "shadow"
    assert [one["name"] for one in section["next"]["checks"] if not one["passed"]] == open_
    with pytest.raises(BundleRefused):
        refuse_below_canary(publish.manifest_of(publish.check_serving(desk)))


def test_the_past_alone_is_no_evidence_however_good_it_was(desk):
    live_through(desk, 25)
    section = ladder.step(desk, settings(desk), night(4.0, THEN.date() - dt.timedelta(days=1)), LATER)
    fresh = next(one for one in section["next"]["checks"] if one["name"] == "fresh_evidence")
    assert not fresh["passed"] and "no session has passed since" in fresh["plain"] and section["acted"] is None


def test_where_a_rung_needs_a_person_the_climb_waits_and_is_not_asked_twice(desk):
    live_through(desk, 25)
    asks = settings(desk, approval={"rungs": "canary"})
    section = ladder.step(desk, asks, night(6.0), LATER)
    assert section["acted"] == "propose" and section["rung"] == "shadow" and section["waiting"] == 2
    assert ladder.step(desk, asks, night(6.0), LATER)["acted"] is None
    acts = Acts(desk, "ann", "read it", LATER)
    record = acts.approve(None)
    assert record.act == "climb" and publish_climb(acts)["rung"] == "canary" == held(desk).rung
    assert ladder.recomputed(record) == record.content["checks"] and record.content["actor"] == "ann"


def test_a_climb_that_was_turned_down_begins_to_count_anew(desk):
    live_through(desk, 25)
    asks = settings(desk, approval={"rungs": "canary"})
    ladder.step(desk, asks, night(6.0), LATER)
    Acts(desk, "ann", "too early", LATER).reject(None)
    section = ladder.step(desk, asks, night(6.0), LATER)
    assert section["acted"] is None and section["next"]["sessions"] == [] and held(desk).rung == "shadow"


def test_a_rung_belongs_to_a_configuration_and_survives_refits_only(desk):
    live_through(desk, 25)
    ladder.step(desk, settings(desk), night(6.0), LATER)
    ours, content = keys.open_or_create(desk.keys), Records(desk).all()[0].content
    told = {name: value for name, value in content.items() if name != "evidence"}
    Records(desk).append({**told, "act": "refresh", "attempted": "refresh", "night": 2}, {}, LATER, ours)
    assert held(desk).rung == "canary"
    Records(desk).append({**told, "key": "other", "night": 3}, {}, LATER, ours)
    assert held(desk).rung == "shadow" and held(desk).permitted[content_digest(desk, 1)] == "canary"
    record, folder = Acts(desk, "ann", "worse", LATER).rollback(1)
    assert held(desk).rung == "canary" == publish.manifest_of(folder).rung and record.act == "rollback"
    assert held(desk).share == 0.1 == publish.manifest_of(folder).capital_share


def content_digest(home, seq):
    return Records(home).all()[seq - 1].content_digest


def test_a_bundle_that_claims_a_rung_that_no_record_gives_does_not_serve(desk):
    ours, contents = keys.open_or_create(desk.keys), little_bundle.contents()
    draft = replace(little_bundle.draft(), evidence_digest=content_digest(desk, 1), rung="champion")
    with pytest.raises(publish.NotPermitted, match="rung champion"):
        publish.publish(desk, contents, draft, ours)
    live_through(desk, 25)
    ladder.step(desk, settings(desk), night(6.0), LATER)
    (desk.records / "000002" / "lived.json").write_bytes(b"{}")
    with pytest.raises(RecordsBroken):
        Records(desk).verify(keys.trusted(desk.keys))


def test_the_seeds_preset_climbs_by_a_month_on_paper_and_falls_by_twenty_trades(desk):
    live_through(desk, 31)
    chosen = settings(desk, gate={"preset": "seeds"})
    section = ladder.step(desk, chosen, night(0.0), LATER)
    assert section["acted"] == "climb" and Records(desk).last().content["plan"]["capital_share"] == 0.01
    with Journal(desk.journal / "paper.sqlite", synced=False) as book:
        for number in range(20):
            row = {"closed_at": f"2025-06-{number + 1:02d}", "R": 1.0 if number % 2 else -1.1}
            book.append("trade", dt.date(2025, 6, 30), LATER, row)
    section = ladder.step(desk, chosen, night(0.0), LATER)
    assert section["acted"] == "demote" and held(desk).champion is None and publish.check_serving(desk) is None
    assert "Over the last 20 trades" in Records(desk).last().content["reason"]


@pytest.mark.parametrize(("section", "found", "why"), [
    ("drift", {"alarms": ["vam_20", "iv30"]}, "Features have moved: iv30, vam_20."),
    ("decay", {"alarm": True, "plain": "little has earned less than it was let through for."}, "earned less"),
    ("drift", {"alarms": []}, None), ("decay", {"alarm": False, "plain": "all is well"}, None)])
def test_the_seeds_preset_takes_the_slot_where_the_market_has_moved_or_the_champion_decays(desk, section, found, why):
    live_through(desk, 5)
    desk.write_section(section, found)
    assert ladder.step(desk, settings(desk), night(0.0), LATER)["acted"] is None  # the default asks for a search
    told = ladder.step(desk, settings(desk, gate={"preset": "seeds"}), night(0.0), LATER)
    assert told["acted"] == ("demote" if why else None)
    if why:
        record = Records(desk).last()
        assert why in record.content["reason"] and held(desk).champion is None
        assert [one["passed"] for one in record.content["checks"]].count(False) == 1


@pytest.mark.parametrize(("last", "kept"), [(-1.0, False), (0.0, False), (0.3, True)])
def test_twenty_trades_that_all_came_to_the_same_have_no_sharpe_and_are_judged_all_the_same(last, kept):
    """Each of them at its stop is the worst that can happen, and a spread of nothing."""
    rule = rungs.Demotion(20, 0.5)
    assert rungs.demotion_check(np.full(20, last), rule).passed is kept
    assert rungs.demotion_check(np.concatenate([[5.0, -3.0], np.full(20, last)]), rule).passed is kept
    assert rungs.demotion_check(np.full(19, last), rule).passed


def test_only_sessions_of_that_configuration_on_that_rung_count(desk):
    live_through(desk, 5)
    with Journal(desk.journal / "paper.sqlite", synced=False) as book:
        for day in DAYS.astype(object)[-3:]:  # decided by a bundle that is not here
            book.append("decision", day, LATER, {"bundle": {"folder": "000009-0123456789ab"},
                                                 "strategy": {"key": KEY}})
            book.append("close", day, LATER, {"pnl": 1.0, "start_equity": 1e6, "orders": 0, "refused": 0})
    assert len(lived(desk, KEY, "shadow").sessions) == 5
    assert not len(lived(desk, "other", "shadow").sessions) and not len(lived(desk, KEY, "canary").sessions)


def test_a_strategy_without_skill_seldom_looks_skilled_however_often_one_looks():
    chance, crossed, markets = np.random.default_rng(5), 0, 2_000
    daily = 3.0 / np.sqrt(252)
    for _ in range(markets):
        walk = np.cumsum(daily * chance.standard_t(5, 504) / np.sqrt(5 / 3) - daily**2 / 2)
        crossed += bool((walk >= np.log(20.0)).any())
    assert crossed <= 0.05 * markets * 1.2
    found = rungs.Fresh(np.full(10, 0.002), 0.01, 3.0, "")
    assert rungs.evidence_ratio(found) == pytest.approx(np.exp(10 * (daily * 0.2 - daily**2 / 2)))
    assert rungs.sessions_needed(20.0, 3.0) == 168
