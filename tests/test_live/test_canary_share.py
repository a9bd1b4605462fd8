"""A canary trades its share of the account, and nothing else about it differs."""

import json
from pathlib import Path

from live import canonical
from live.journal import Journal
from live.replay import replay
from tests.test_live import world


def decided(folder: Path, share: float) -> tuple[list[float], list[float], float]:
    """(weights, wanted shares, bought and sold in dollars) of one session's decision."""
    bundles, tape = world.publish(folder / "b", rung="canary", share=share), world.tape(folder / "tape.parquet")
    replay(bundles, tape, folder / "journal.sqlite", verify_keys=[world.PUBLIC])
    book = Journal(folder / "journal.sqlite", read_only=True)
    told = next(book.entries("decision")).payload
    traded = sum(abs(one.payload["quantity"] * one.payload["price"]) for one in book.entries("fill"))
    book.close()
    return told["weights"], told["wanted"], traded


def test_a_tenth_of_the_account_is_a_tenth_of_every_position(tmp_path: Path) -> None:
    weights, whole, all_traded = decided(tmp_path / "whole", 1.0)
    same, tenth, traded = decided(tmp_path / "tenth", 0.1)
    assert weights == same  # what it believes is the same; what it may do is not
    large, small = (json.loads(canonical.text(one)) for one in (whole, tenth))
    assert all(abs(little - much / 10.0) <= 1.0 for much, little in zip(large, small, strict=True) if much is not None)
    assert 0.0 < traded < 0.12 * all_traded
