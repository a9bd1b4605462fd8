"""A build by manifest: as little as changed, the same bytes as from nothing, whole or not at all."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from models.features.feature import Block, Feature
from models.features.registry import families
from pipelines.home import Home
from pipelines.lake import marts
from pipelines.store import build, inputs, manifest, recipe
from tests.test_pipelines.store_histories import connection, daily_bars, known_by

EQUITY = families()["equity_v1"]


def _build(home: Home, bars: object) -> build.FamilyBuild:
    return build.build_family(home, "equity_v1", EQUITY, connection(bars))


@pytest.mark.parametrize("seed", range(3))
def test_night_by_night_equals_from_nothing(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    bars = daily_bars(rng, names=6, sessions=55, restatements=6)
    moments = sorted(set(bars["available_at"].to_pylist()))
    grown, fresh = Home(tmp_path / "grown"), Home(tmp_path / "fresh")
    for moment in moments[len(moments) // 2 :: 5] + moments[-1:]:
        night = _build(grown, known_by(bars, moment))
    whole = _build(fresh, bars)
    assert night.digest == whole.digest
    assert grown.features.joinpath("equity_v1.parquet").read_bytes() == whole.path.read_bytes()


def test_an_unchanged_night_computes_nothing(tmp_path: Path) -> None:
    bars = daily_bars(np.random.default_rng(3), names=5, sessions=40, restatements=2)
    first = _build(Home(tmp_path), bars)
    written = first.path.stat().st_mtime_ns
    second = _build(Home(tmp_path), bars)
    assert second.unchanged and second.digest == first.digest and second.rows == first.rows
    assert first.path.stat().st_mtime_ns == written


def test_the_same_generation_of_marts_is_not_even_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, read, generation = Home(tmp_path), [], ["one"]
    bars = daily_bars(np.random.default_rng(3), names=5, sessions=40, restatements=2)

    def of_home(home: Home, panel: str, recipe: object) -> inputs.Inputs:
        read.append(generation[0])
        return inputs.read(connection(bars), panel)

    monkeypatch.setattr(inputs, "of_home", of_home)
    monkeypatch.setattr(marts, "current", lambda home: home.marts / generation[0])
    first, second = (build.build_family(home, "equity_v1", EQUITY) for _ in range(2))
    assert read == ["one"] and second.unchanged and (second.digest, second.rows) == (first.digest, first.rows)
    generation[0] = "two"
    assert build.build_family(home, "equity_v1", EQUITY).unchanged and read == ["one", "two"]
    (home.features / "equity_v1.parquet").unlink()
    assert build.build_family(home, "equity_v1", EQUITY).rebuilt == first.rebuilt and read == ["one", "two", "two"]


def test_a_new_session_rebuilds_that_session_alone(tmp_path: Path) -> None:
    bars = daily_bars(np.random.default_rng(4), names=6, sessions=50, restatements=0)
    days = sorted(set(bars["session"].to_pylist()))
    before = bars.filter(bars["session"].to_numpy() < np.datetime64(days[-1]))
    _build(Home(tmp_path), before)
    night = _build(Home(tmp_path), bars)
    assert (night.first_rebuilt, night.last_rebuilt) == (str(days[-1]), str(days[-1]))
    assert 0 < night.rebuilt <= 6


def test_other_code_rebuilds_everything(tmp_path: Path) -> None:
    bars = daily_bars(np.random.default_rng(6), names=4, sessions=40, restatements=0)
    _build(Home(tmp_path), bars)
    narrower = build.build_family(Home(tmp_path), "equity_v1", EQUITY[:5], connection(bars))
    assert narrower.rebuilt > 100
    assert pq.read_schema(narrower.path).names[-1] == EQUITY[4].name


@pytest.mark.parametrize("point", ["features.staged", "features.renamed", "features.manifest.staged"])
def test_a_kill_at_any_publication_loses_nothing(point: str, tmp_path: Path) -> None:
    bars = daily_bars(np.random.default_rng(8), names=4, sessions=40, restatements=3)
    pq.write_table(bars, tmp_path / "bars.parquet")
    home = Home(tmp_path / "home")
    _build(home, known_by(bars, bars["available_at"].to_pylist()[len(bars) // 2]))
    program = (
        "import sys, pyarrow.parquet as pq; from pathlib import Path; from pipelines.home import Home\n"
        "from tests.test_pipelines.test_store_build import _build\n"
        "_build(Home(Path(sys.argv[1]) / 'home'), pq.read_table(Path(sys.argv[1]) / 'bars.parquet'))"
    )
    killed = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], env={**os.environ, "NIGHTDESK_FAILPOINT": point},
        capture_output=True,
    )
    assert killed.returncode == -signal.SIGKILL
    assert _build(home, bars).digest == _build(Home(tmp_path / "other"), bars).digest


def test_a_lake_without_bars_gives_an_empty_table(tmp_path: Path) -> None:
    bars = daily_bars(np.random.default_rng(1), names=2, sessions=30, restatements=0)
    first = _build(Home(tmp_path), bars.slice(0, 0))
    assert (first.rows, first.rebuilt) == (0, 0)
    assert pq.read_schema(first.path).names[:2] == ["instrument_id", "session"]
    assert _build(Home(tmp_path), bars).digest == _build(Home(tmp_path / "other"), bars).digest


def test_a_family_is_built_again_for_its_own_code_and_not_for_another_s() -> None:
    versions = {view: manifest.code_version(features, recipe.USUAL) for view, features in families().items()}
    assert len(set(versions.values())) == len(versions)
    files = {view: set().union(*(manifest._imported(kernel.__module__) for kernel in _kernels(features)))
             for view, features in families().items()}  # fmt: skip
    named = {view: {path.name for path in found} for view, found in files.items()}
    assert {"equity.py", "market.py", "cross.py"} <= named["equity_v1"]  # what its kernels import counts as theirs
    assert "equity.py" not in named["options_v1"] and "options.py" not in named["equity_v1"]
    assert all(path.is_relative_to(manifest.ROOT / "models") for found in files.values() for path in found)


def _kernels(features: tuple[Feature, ...]) -> list[Callable[..., object]]:
    return [one.kernel.fill if isinstance(one.kernel, Block) else one.kernel for one in features]
