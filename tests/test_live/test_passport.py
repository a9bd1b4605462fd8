"""A passport tells everything behind an order, and notices when any of it is not what it was."""

import json
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from live.chain import chained
from live.journal import Journal, JournalBroken
from live.passport import NoSuchId, passport
from live.passport_text import render
from live.replay import replay
from tests.test_live import world


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    replay(world.publish(tmp_path / "bundles"), world.tape(tmp_path / "tape.parquet", 0, 3), tmp_path / "j.sqlite",
           verify_keys=[world.PUBLIC])
    return tmp_path


def first_order(desk: Path) -> dict:
    """The second session's first order that opens or adds: a closing one meets fewer limits."""
    book = Journal(desk / "j.sqlite", read_only=True)
    orders = [entry.payload for entry in book.entries("intent", world.world().coming[1])]
    book.close()
    return next(one for one in orders if any(check["limit"] == "gross" for check in one["checks"]))


def rewrite(desk: Path, kind: str, change: dict) -> None:
    """Forge the last row of a kind with all hashes after it, as only its owner could: recomputation must notice."""
    db = sqlite3.connect(desk / "j.sqlite", isolation_level=None)
    db.execute("DROP TRIGGER entries_stand")
    seq, payload = db.execute("SELECT seq, payload FROM entries WHERE kind = ? ORDER BY seq DESC", (kind,)).fetchone()
    forged = json.dumps({**json.loads(payload), **change}, sort_keys=True, separators=(",", ":"))
    db.execute("UPDATE entries SET payload = ? WHERE seq = ?", (forged, seq))
    (prev,) = db.execute("SELECT hash FROM entries WHERE seq = ?", (seq - 1,)).fetchone()
    later = "SELECT seq, kind, session, at, payload FROM entries WHERE seq >= ? ORDER BY seq"
    for number, what, session, at, text in db.execute(later, (seq,)).fetchall():
        prev_hash, prev = prev, chained(number, prev, what, session, at, text)
        db.execute("UPDATE entries SET prev_hash = ?, hash = ? WHERE seq = ?", (prev_hash, prev, number))
    db.close()


def test_an_order_resolves_to_everything_behind_it(desk: Path) -> None:
    order = first_order(desk)
    document = passport(desk / "j.sqlite", order["order_id"], desk / "bundles", [world.PUBLIC])
    assert document["recomputed_equal"] and document["differences"] == []
    (name,) = document["names"]
    assert [(one["feature"], one["version"]) for one in name["features"]] == [(f, 1) for f in world.FEATURES]
    (told,) = document["orders"]
    assert [event["kind"] for event in told["history"]] == ["ack", "fill"]
    assert {check["limit"] for check in told["checks"]} >= {"stale_sessions", "order_notional_usd", "weight", "gross"}
    assert set(told["history"][1]["costs"]) == {"spread", "fee", "impact"}
    item = document["outcome"]["items"][order["instrument_id"]]
    assert item["R"] == pytest.approx(
        (item["exit"] - item["entry"]) * (1 if item["shares"] > 0 else -1) / name["atr14_usd"])
    assert item["mae_R"] <= min(item["R"], 0.0) <= max(item["R"], 0.0) <= item["mfe_R"]
    fill = told["history"][1]
    assert item["slippage_usd"] == pytest.approx(fill["quantity"] * (fill["price"] - told["reference_price"]))
    assert item["holding_minutes"] > 60.0 * 20  # from this session's open to the next one's
    assert document["manifest"]["data_snapshot"] == {"daily_bars": "1" * 64}


def test_a_person_can_read_it(desk: Path) -> None:
    text = render(passport(desk / "j.sqlite", first_order(desk)["order_id"], desk / "bundles", [world.PUBLIC]))
    for words in ("learnt on daily_bars 1111", "ret_5 v1 = ", "limit gross: ", "cost ", "(fee ", ", R ",
                  " minutes, slippage ", "features: EQUAL, bit for bit"):
        assert words in text
    (desk / "KILL").touch()
    replay(desk / "bundles", world.tape(desk / "tape-3.parquet", 3), desk / "j.sqlite", verify_keys=[world.PUBLIC],
           kill_file=desk / "KILL")
    book = Journal(desk / "j.sqlite", read_only=True)
    refused = book.last("refused")
    book.close()
    assert refused is not None
    text = render(passport(desk / "j.sqlite", refused.payload["order_id"], desk / "bundles", [world.PUBLIC]))
    assert "allowed +0, refused by state" in text and "BREACH" in text


def test_a_decision_resolves_too_and_the_newest_has_no_outcome_yet(desk: Path) -> None:
    book = Journal(desk / "j.sqlite", read_only=True)
    newest = book.last("decision")
    book.close()
    assert newest is not None
    document = passport(desk / "j.sqlite", newest.payload["decision_id"], desk / "bundles", [world.PUBLIC])
    assert document["recomputed_equal"] and document["outcome"] is None
    assert len(document["names"]) == len(world.NAMES)


def test_a_forged_weight_is_recomputed_as_unequal(desk: Path) -> None:
    book = Journal(desk / "j.sqlite", read_only=True)
    made = book.last("decision")
    book.close()
    assert made is not None
    first, *others = made.payload["weights"]
    rewrite(desk, "decision", {"weights": [np.nextafter(first, 1.0), *others]})
    document = passport(desk / "j.sqlite", made.payload["decision_id"], desk / "bundles", [world.PUBLIC])
    assert not document["recomputed_equal"] and document["differences"] == ["weights"]


def test_a_changed_journal_and_an_unknown_id_are_said_to_be_so(desk: Path) -> None:
    with pytest.raises(NoSuchId):
        passport(desk / "j.sqlite", "o-0", desk / "bundles", [world.PUBLIC])
    db = sqlite3.connect(desk / "j.sqlite", isolation_level=None)
    db.execute("DROP TRIGGER entries_stand")
    db.execute("UPDATE entries SET payload = '{}' WHERE kind = 'fill'")
    db.close()
    with pytest.raises(JournalBroken):
        passport(desk / "j.sqlite", first_order(desk)["order_id"], desk / "bundles", [world.PUBLIC])


def test_a_bundle_that_was_changed_since_cannot_vouch(desk: Path) -> None:
    order = first_order(desk)
    (folder,) = (desk / "bundles").glob("0*")
    (folder / "gbm.txt").write_bytes((folder / "gbm.txt").read_bytes().replace(b"num_leaves=4", b"num_leaves=3", 1))
    document = passport(desk / "j.sqlite", order["order_id"], desk / "bundles", [world.PUBLIC])
    assert not document["recomputed_equal"] and "gbm.txt is not the file that was signed" in document["differences"][0]
