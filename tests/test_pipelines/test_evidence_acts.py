"""What a person decides: signed, chained, with its meaning for the slot. Kills: tests/faults/acts.py."""

import datetime as dt
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from models import bundle
from pipelines.evidence import inventory, keys, package, provenance, publish
from pipelines.evidence.acts import Acts, NotPossible
from pipelines.evidence.records import Records
from pipelines.evidence.standing import standing
from pipelines.home import Home
from tests.test_models import little_bundle
from tests.test_pipelines.test_evidence_records import packed  # noqa: F401  (a fixture)

NOW = dt.datetime(2025, 7, 1, 6, tzinfo=dt.UTC)
SLOT = "daily-equity"
EVIDENCE = {"returns.safetensors": b"\x01\x02" * 50, "judged.json": b"{}"}
FAILED_SKILL = [{"name": "deflated_sharpe", "passed": False, "plain": "Luck is not ruled out."},
                {"name": "leak", "passed": True, "plain": "Clean."}]


def judged(act, night, checks=()):
    return {"act": act, "slot": SLOT, "strategy": "little", "key": "k", "night": night, "attempted": "promote",
            "inputs_digest": f"{night}", "verdict": {"checks": list(checks)}, "ledger": {"n": 6, "head": "0" * 64},
            "card": dict.fromkeys(provenance.CARD, "said")}


def desk(folder, *acts, checks=()) -> Home:
    home = Home(folder).prepare()
    for night, act in enumerate(acts):
        Records(home).append(judged(act, night, checks), EVIDENCE, NOW, keys.open_or_create(home.keys))
    return home


def acting(home, reason="because", now=NOW) -> Acts:
    return Acts(home, "ann", reason, now)


def publish_little(home: Home, packed: Path, record) -> Path:  # noqa: F811
    contents = {path.name: path.read_bytes() for path in packed.iterdir()}
    draft = replace(little_bundle.draft(), evidence_digest=record.content_digest)
    return publish.publish(home, contents, draft, keys.open_or_create(home.keys))[0]


def two_champions(folder, packed) -> Home:  # noqa: F811
    """A promotion and what replaced it, each with its bundle."""
    home = desk(folder, "promote")
    publish_little(home, packed, Records(home).last())
    Records(home).append(judged("refresh", 1), EVIDENCE, NOW, keys.open_or_create(home.keys))
    publish_little(home, packed, Records(home).last())
    return home


def held(home):
    return standing(Records(home).all(), SLOT)


def test_a_proposal_waits_until_it_is_approved_with_all_its_evidence(tmp_path, packed):  # noqa: F811
    home = desk(tmp_path, "promote", "propose")
    assert held(home).champion.seq == 1 and held(home).proposal.seq == 2
    with pytest.raises(publish.NotPermitted):
        publish_little(home, packed, Records(home).last())
    assert "waits" in package.refusal(Records(home).last(), held(home))
    with pytest.raises(NotPossible, match="record 2 waits, not 1"):
        acting(home).approve(1)
    record = acting(home, "read it").approve(2)
    assert (record.act, record.content["actor"], record.content["reason"]) == ("promote", "ann", "read it")
    assert record.evidence("returns.safetensors") == EVIDENCE["returns.safetensors"]
    assert record.content["inputs_digest"] == "1" and Records(home).judged().seq == 3
    assert held(home).champion.seq == 3 and held(home).proposal is None
    assert acting(home).approve(None).seq == 3 and package.refusal(record, held(home)) is None
    assert bundle.current(home.bundles) is None and publish_little(home, packed, record) == publish.check_serving(home)
    assert inventory.verify(home) == {"ledger": "none yet", "records": "ok", "bundle": "ok"}


@pytest.mark.parametrize("missing", provenance.CARD)
def test_what_its_card_does_not_say_is_not_published(tmp_path, missing):
    home = desk(tmp_path, "promote")
    record = Records(home).last()
    assert package.refusal(record, held(home)) is None
    card = {name: value for name, value in record.content["card"].items() if name != missing}
    told = replace(record, content={**record.content, "card": card})
    assert package.refusal(told, held(home)) == f"the model card does not say {missing}."


def test_a_proposal_turned_down_leaves_the_slot_as_it_was(tmp_path):
    home = desk(tmp_path, "promote", "propose")
    proposal = Records(home).last()
    assert acting(home).reject(None).act == "reject" and held(home).champion.seq == 1
    assert "turned down" in package.refusal(proposal, held(home))
    with pytest.raises(NotPossible, match="no proposal"):
        acting(home).approve(None)


def test_a_rollback_serves_the_older_digest_under_a_newer_number(tmp_path, packed):  # noqa: F811
    home = two_champions(tmp_path, packed)
    older, newer = (publish.manifest_of(folder) for folder in publish.published(home))
    record, folder = acting(home).rollback()
    told = publish.manifest_of(folder)
    assert told.digest == older.digest != newer.digest and told.seq == 3 and publish.check_serving(home) == folder
    assert held(home).champion.seq == 1 and record.content["names"]["bundle_digest"] == older.digest
    assert bundle.load(folder, keys.trusted(home.keys), 2, NOW).seq == 3
    assert "took back" in package.refusal(Records(home).judged(), held(home))
    with pytest.raises(NotPossible, match="no older bundle"):
        acting(home).rollback()
    assert acting(home).rollback(2)[1].name.startswith("000004") and held(home).champion.seq == 2
    assert inventory.verify(home)["bundle"] == "ok"


def test_an_expired_bundle_is_not_served_but_its_configuration_holds_the_slot(tmp_path, packed):  # noqa: F811
    home = two_champions(tmp_path, packed)
    _, folder = acting(home, now=NOW + dt.timedelta(days=30)).rollback()
    assert folder is None and bundle.current(home.bundles) is None and held(home).champion.seq == 1


def test_a_killed_slot_serves_nothing_until_it_is_reset(tmp_path, packed):  # noqa: F811
    home = two_champions(tmp_path, packed)
    serving = publish.check_serving(home)
    assert acting(home).kill().act == "kill" and bundle.current(home.bundles) is None
    assert acting(home).kill().seq == 3  # stopped once
    with pytest.raises(publish.NotPermitted):
        publish_little(home, packed, held(home).champion)
    assert "stopped this slot" in package.refusal(held(home).champion, held(home))
    publish.point_to(home, serving)
    assert "stopped by record 3" in inventory.verify(home)["bundle"]
    record, folder = acting(home).reset()
    assert folder == serving == publish.check_serving(home) and acting(home).reset()[0].seq == record.seq
    assert held(home).killed is None and held(home).champion.seq == 2


def test_a_demoted_champion_loses_slot_and_bundle(tmp_path, packed):  # noqa: F811
    home = two_champions(tmp_path, packed)
    serving = publish.check_serving(home)
    record = acting(home).demote()
    assert held(home).champion is None and bundle.current(home.bundles) is None
    assert acting(home).demote().seq == record.seq
    publish.point_to(home, serving)
    with pytest.raises(publish.NotPermitted):
        publish.check_serving(home)
    with pytest.raises(NotPossible, match="no older bundle"):
        acting(home).rollback()


def test_an_override_passes_bars_of_skill_for_a_while_and_nothing_else(tmp_path):
    until = NOW + dt.timedelta(days=10)
    home = desk(tmp_path / "a", "reject", checks=FAILED_SKILL)
    with pytest.raises(NotPossible, match="31 days"):
        acting(home).override(NOW + dt.timedelta(days=40))
    record = acting(home).override(until)
    assert record.content["until"] == until.isoformat() and record.content["names"]["bars"] == ["deflated_sharpe"]
    assert held(home).champion.seq == record.seq == acting(home).override(until).seq
    leaky = desk(tmp_path / "b", "reject", checks=[{"name": "leak", "passed": False, "plain": "It leaks."}])
    with pytest.raises(NotPossible, match="leak"):
        acting(leaky).override(until)
    with pytest.raises(NotPossible, match="refusal"):
        acting(desk(tmp_path / "c", "promote")).override(until)


def test_an_act_has_a_name_a_reason_and_a_chain_that_holds(tmp_path):
    home = desk(tmp_path, "propose", "reject")
    with pytest.raises(NotPossible, match="who acts and why"):
        Acts(home, "ann", "  ", NOW)
    shutil.rmtree(home.records / "000001")
    with pytest.raises(RuntimeError):
        acting(home)
