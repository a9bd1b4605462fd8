"""Limits and keys come from a person's files, and what is wrong with one is said by name."""

import math
from pathlib import Path

import pytest

from live.risk import Limits
from live.settings import LimitsError, load_keys, load_limits


def test_a_file_changes_the_limits_it_names_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "limits.toml"
    path.write_text("[limits]\nmax_gross = 1.2\nmax_weight = inf\n")
    limits = load_limits(path)
    assert (limits.max_gross, limits.max_weight, limits.max_order_notional_usd) == (
        1.2, math.inf, Limits().max_order_notional_usd)
    assert load_limits(None) == Limits()


@pytest.mark.parametrize(("text", "words"), [("max_gros = 1", "max_gros"), ("max_gross = 'much'", "max_gross")])
def test_a_wrong_limit_is_named(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "limits.toml"
    path.write_text(f"[limits]\n{text}\n")
    with pytest.raises(LimitsError, match=words):
        load_limits(path)


def test_keys_come_from_a_file_a_folder_or_a_desks_own(tmp_path: Path) -> None:
    (tmp_path / "trusted").mkdir()
    for place in (tmp_path / "one.pub", tmp_path / "trusted" / "two.pub"):
        place.write_text(place.stem[0].encode().hex() * 32 + "\n")
    assert load_keys(tmp_path / "one.pub") == (b"o" * 32,)
    assert load_keys(tmp_path / "trusted") == load_keys(tmp_path) == (b"t" * 32,)
    (tmp_path / "short.pub").write_text("abcd\n")
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        load_keys(tmp_path / "short.pub")
