"""The trial ledger: what N counts, that nothing is lost to a kill, and that no change goes unseen."""

import datetime as dt
import os
import subprocess
import sys

import pytest

from pipelines.evidence.ledger import GENESIS, Ledger, LedgerBroken, Trial

NOW = dt.datetime(2025, 7, 1, 6, tzinfo=dt.UTC)


def filled(folder, count=5):
    ledger = Ledger(folder)
    for number in range(count):
        ledger.register("outer", "daily", f"config-{number}", 7, {"data": "a"}, NOW)
    return ledger


def test_n_counts_configurations_and_seeds_and_nothing_else(tmp_path):
    ledger = Ledger(tmp_path)
    for key, seed, data in (("a", 1, "x"), ("a", 1, "x"), ("a", 1, "y"), ("a", 2, "x"), ("b", 1, "x")):
        ledger.register("outer", "daily", key, seed, {"data": data}, NOW)
    ledger.register_many([Trial("inner", "daily", "c", 1, {}), Trial("diagnostic", "daily", "d", 1, {}),
                          Trial("outer", "weekly", "a", 1, {})], NOW)
    assert ledger.n("daily") == 3 and ledger.n("weekly") == 1 and ledger.n("nothing") == 0
    assert len(ledger.rows("outer")) == 5  # a refit on new data is a row, not an N; the repeat is no row
    assert Ledger(tmp_path).n("daily") == 3


def test_the_same_trial_later_is_the_same_row_and_the_same_bytes(tmp_path):
    ledger = filled(tmp_path)
    before, head = ledger.path.read_bytes(), ledger.head
    assert ledger.register("outer", "daily", "config-3", 7, {"data": "a"}, NOW + dt.timedelta(days=1))
    assert ledger.path.read_bytes() == before and ledger.head == head


def test_a_torn_last_line_is_dropped_and_written_again(tmp_path):
    acknowledged = filled(tmp_path, 4).anchor.read_bytes()
    whole = filled(tmp_path).path.read_bytes()
    path = tmp_path / "trials.jsonl"
    for cut in (1, 20, len(whole.splitlines()[-1])):
        path.write_bytes(whole[:-cut])
        (tmp_path / "trials.head").write_bytes(acknowledged)
        again = filled(tmp_path)
        assert path.read_bytes() == whole and again.verify() == 5


def test_every_edit_deletion_swap_and_insertion_is_found(tmp_path):
    ledger = filled(tmp_path)
    path, lines = ledger.path, ledger.path.read_bytes().splitlines(keepends=True)
    for bad in ([*lines[:2], *lines[3:]], [lines[1], lines[0], *lines[2:]], [lines[0], *lines],
                [lines[0].replace(b"config-0", b"config-9"), *lines[1:]], lines[1:]):
        path.write_bytes(b"".join(bad))
        with pytest.raises(LedgerBroken):
            Ledger(tmp_path).verify()
    path.write_bytes(b"".join([*lines[:-1], lines[-1].replace(b"config-4", b"config-9")]))
    with pytest.raises(LedgerBroken):  # nothing follows the last row, but its own identity does not fit
        Ledger(tmp_path).verify()


def test_a_cut_tail_is_missed_by_whoever_wrote_the_head_down(tmp_path):
    ledger = filled(tmp_path)
    head, lines = ledger.head, ledger.path.read_bytes().splitlines(keepends=True)
    assert ledger.holds(head) and ledger.holds(GENESIS)
    ledger.path.write_bytes(b"".join(lines[:-1]))
    assert not Ledger(tmp_path).holds(head)
    ledger.path.unlink()
    assert not Ledger(tmp_path).holds(head)


def test_a_cut_tail_is_missed_by_the_anchor_too_and_nothing_more_is_written(tmp_path):
    ledger = filled(tmp_path)
    whole, anchor = ledger.path.read_bytes(), ledger.anchor.read_bytes()
    lines = whole.splitlines(keepends=True)
    for left in (lines[:-1], lines[:1], []):
        ledger.path.write_bytes(b"".join(left))
        cut = Ledger(tmp_path)
        with pytest.raises(LedgerBroken, match=f"has {len(left)} rows and its anchor remembers row 5"):
            cut.verify()
        with pytest.raises(LedgerBroken, match="nothing can be promoted"):
            cut.register("outer", "daily", "one more", 7, {}, NOW)
        assert ledger.path.read_bytes() == b"".join(left) and ledger.anchor.read_bytes() == anchor
    filled(tmp_path / "other", 6)
    ledger.path.write_bytes((tmp_path / "other" / "trials.jsonl").read_bytes().replace(b"config-0", b"config-x"))
    with pytest.raises(LedgerBroken):  # as long, but another
        Ledger(tmp_path).verify()
    ledger.path.write_bytes(whole)
    ledger.anchor.write_bytes(b"{}")
    with pytest.raises(LedgerBroken, match="cannot be read"):
        Ledger(tmp_path).verify()
    ledger.anchor.unlink()  # a home that is older than anchors has none until it writes again
    older = Ledger(tmp_path)
    assert older.verify() == 5 and older.register("outer", "daily", "one more", 7, {}, NOW)
    assert older.anchor.exists() and Ledger(tmp_path).verify() == 6


def test_backtests_by_hand_count_unless_a_night_judged_the_same(tmp_path):
    ledger = filled(tmp_path, 2)
    for key, sessions in (("config-0", "a"), ("config-0", "b"), ("mine", "a"), ("mine", "b"), ("yours", "a")):
        ledger.register("backtest", "daily", key, 7, {"sessions": sessions}, NOW)
    assert ledger.n("daily") == 4 and len(ledger.rows("backtest")) == 5
    ledger.register("outer", "daily", "mine", 7, {"data": "a"}, NOW)
    assert ledger.n("daily") == 4
    ledger.register("outer", "daily", "mine", 7, {"data": "a", "walk": {"step_sessions": 21}}, NOW)
    assert ledger.n("daily") == 5


@pytest.mark.parametrize("nth", ["", "#5"])  # at the first write, and at the last, after which nothing new comes
@pytest.mark.parametrize("failpoint", ["ledger.staged", "ledger.written", "ledger.synced", "ledger_head.staged"])
def test_a_kill_at_any_point_ends_in_the_same_ledger(tmp_path, failpoint, nth):
    program = ("import datetime as dt\nfrom tests.test_pipelines.test_evidence_ledger import *\nimport sys\n"
               "from pathlib import Path\nfilled(Path(sys.argv[1]))")
    run = [sys.executable, "-c", program, str(tmp_path / "killed")]
    killed = subprocess.run(run, env={**os.environ, "NIGHTDESK_FAILPOINT": failpoint + nth})
    assert killed.returncode == -9
    again, whole = filled(tmp_path / "killed"), filled(tmp_path / "whole")
    assert again.path.read_bytes() == whole.path.read_bytes() and again.verify() == 5
    assert again.anchor.read_bytes() == whole.anchor.read_bytes()
    assert sorted(os.listdir(tmp_path / "killed")) == sorted(os.listdir(tmp_path / "whole"))
    again.register("outer", "daily", "one more", 7, {}, NOW)
    assert Ledger(tmp_path / "killed").cut is None
