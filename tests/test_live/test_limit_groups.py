"""Groups of names that a limits file takes from another file, as a night writes one."""

from dataclasses import replace
from pathlib import Path

import pytest

from live.risk import preset
from live.settings import LimitsError, load_limits

SECTORS = '[sectors]\ntech = [\n    "A",\n    "B",\n]\n'


@pytest.mark.parametrize("text", [
    'sectors = "groups.toml"\n[limits]\npreset = "risk-manager"\n',
    '[limits]\npreset = "risk-manager"\nsectors = "groups.toml"\n',
])  # fmt: skip
def test_sectors_may_stand_in_a_file_beside(tmp_path: Path, text: str) -> None:
    (tmp_path / "groups.toml").write_text(SECTORS)
    (tmp_path / "limits.toml").write_text(text)
    told = load_limits(tmp_path / "limits.toml")
    assert told == replace(preset("risk-manager"), sectors={"A": "tech", "B": "tech"})


@pytest.mark.parametrize("other", ["", "[sectors]\ntech = 5\n", "[sectors", '[classes]\ntech = ["A"]\n'])
def test_a_file_that_names_no_groups_is_no_silence(tmp_path: Path, other: str) -> None:
    (tmp_path / "groups.toml").write_text(other)
    (tmp_path / "limits.toml").write_text('sectors = "groups.toml"\n')
    with pytest.raises(LimitsError, match=r"limits\.toml: sectors"):
        load_limits(tmp_path / "limits.toml")
    (tmp_path / "limits.toml").write_text('sectors = "nowhere.toml"\n')
    with pytest.raises(LimitsError, match="nowhere"):
        load_limits(tmp_path / "limits.toml")
