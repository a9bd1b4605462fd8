"""The best of a thousand that were tried elsewhere: no rung on the past alone, and seldom one in the year after; and a
thousand tried here, with their rows taken out or never written."""

import datetime as dt
from dataclasses import replace

import pytest

from models.validation import nulls
from models.validation.evidence import Evidence, Health
from models.validation.gate import GatePolicy, best, judge
from pipelines.evidence import health, keys
from pipelines.evidence.ledger import Ledger, LedgerBroken, Trial
from pipelines.evidence.records import Records
from pipelines.home import Home
from pipelines.training.candidates import TARGET
from tests.truth import elsewhere

NOW = dt.datetime(2025, 7, 1, 6, tzinfo=dt.UTC)
CLEAN = Health(leak_clean=True, parity_clean=True, structure_clean=True)


@pytest.mark.parametrize(("kind", "seeds"), [
    ("gaussian", 5), *(pytest.param(kind, 100, marks=pytest.mark.slow) for kind in elsewhere.KINDS)])
def test_the_best_of_a_thousand_made_elsewhere_is_refused_for_want_of_sessions_since(kind, seeds):
    told = elsewhere.count(kind, seeds)
    assert told["at_once"] == 0 and told["reason_is_registration"] == seeds
    assert told["within_a_year"] <= 0.05 * seeds + (seeds < 100)
    assert told["gate"] > 0  # the gate alone, asked in good faith, lets some through: that is why there are rungs


def desk(folder, trials: int) -> tuple[Home, Ledger]:
    """A home whose last record counted so many trials."""
    home = Home(folder).prepare()
    ledger = Ledger(home.ledger)
    ledger.register_many([Trial("outer", TARGET, f"config-{n}", 7, {"data": "a"}) for n in range(trials)], NOW)
    content = {"act": "reject", "slot": "daily-equity", "strategy": "s", "key": "k",
               "ledger": {"n": trials, "head": ledger.head}}
    Records(home).append(content, {}, NOW, keys.open_or_create(home.keys))
    return home, ledger


def verdict(trials: int, ledger_clean: bool):
    """Best of a thousand without skill, judged in good faith or not."""
    active = nulls.null_market("gaussian", 11, 3, 504, 1_000, 0.0)
    chosen = best(active)
    found = replace(CLEAN, ledger_clean=ledger_clean)
    return judge(Evidence(("best",), active[:, [chosen]], active[:, chosen], 0, None, trials, found, 7), GatePolicy())


def test_a_thousand_trials_counted_are_refused_by_their_number(tmp_path):
    home, ledger = desk(tmp_path, 1_000)
    assert ledger.n(TARGET) == 1_000 and health.ledger_clean(home, ledger)
    refused = verdict(ledger.n(TARGET), True)
    assert [one.name for one in refused.checks if not one.passed] == ["deflated_sharpe"]


@pytest.mark.parametrize("lines", [slice(0, 10), slice(0, 0), slice(999, None), slice(0, 999)])
def test_a_thousand_trials_with_rows_deleted_are_refused_because_the_ledger_is_broken(tmp_path, lines):
    home, ledger = desk(tmp_path, 1_000)
    rows = ledger.path.read_bytes().splitlines(keepends=True)
    ledger.path.write_bytes(b"".join(rows[lines]))
    try:
        clean = health.ledger_clean(home, Ledger(home.ledger))
    except LedgerBroken as broken:
        assert "nothing can be promoted" in str(broken)
        clean = False
    assert not clean
    refused = verdict(1, clean)
    assert not refused.promoted and "has lost trials" in " ".join(refused.reasons)


def test_what_was_judged_without_being_written_down_is_refused_by_name(tmp_path):
    _, ledger = desk(tmp_path, 3)
    assert health.unwritten(ledger, TARGET, 7, ["config-0", "config-2"]) == []
    assert health.unwritten(ledger, TARGET, 7, ["config-0", "secret"]) == ["secret"]
    assert health.unwritten(ledger, TARGET, 8, ["config-0"]) == ["config-0"]  # another seed is another trial
