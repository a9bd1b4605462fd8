"""Forgetting: only what can be made again, only past its retention, and nothing that anybody refers to."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from pipelines import prune
from pipelines.home import Home
from pipelines.settings import Retention

KEEP = Retention(fits_nights=2, drift_pages=1, mart_generations=1, panels=1)


def digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def written(path: Path, content: bytes, at: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (at, at))
    os.utime(path.parent, (at, at))
    return path


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Five nights of results, the first of which a record and a bundle lean on."""
    home = Home(tmp_path).prepare()
    for night in range(1, 6):
        at = 1_000_000 + night * 100
        for kind in ("fold", "final"):
            written(home.work / "models" / digest(f"{kind}{night}") / "gbm.txt", f"{kind}{night}".encode(), at)
        written(home.reports / "drift" / f"{digest(f'inputs{night}')[:16]}.html", b"x" * 1000, at)
        about = {"digests": {"daily_bars": digest(f"bars{night}"), "symbols": digest("all along")}}
        generation = home.marts / digest(f"generation{night}")[:16]
        written(generation / "generation.json", json.dumps(about).encode(), at)
        written(home.work / "panels" / f"{digest(f'panel{night}')[:32]}.npz", b"x" * 10, at)
        written(home.reports / f"2025-07-0{night}" / "index.html", b"page", at + 1)
    written(home.marts / "current", digest("generation5")[:16].encode(), 2_000_000)
    data = {"training": digest("inputs2"), "marts/daily_bars": digest("bars2"), "marts/symbols": digest("all along")}
    inputs = {"weights": {"gbm.txt": digest("final1")}, "data": data}
    written(home.records / "000001" / "record.json", json.dumps(inputs).encode(), 1)
    manifest = {"files": {"gbm.txt": digest("final2")}}
    written(home.bundles / "000001-abc" / "manifest.json", json.dumps(manifest).encode(), 1)
    home.write_section("training", {"folds": [{"digest": digest("fold1")}]})
    return home


def everything(home: Home) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in home.root.rglob("*") if path.is_file()}


def test_what_is_old_goes_and_what_is_referred_to_stays(home: Home) -> None:
    before = everything(home)
    doomed = prune.plan(home, KEEP)
    assert everything(home) == before  # planning touches nothing
    names = {(one.kind, one.path.stem) for one in doomed.going}
    assert names == {
        # Of nights 1 to 3; the first one's weights are a record's, the second's a bundle's, a fold tonight's.
        *(("fit", digest(f"{kind}{night}")) for kind, night in [("fold", 2), ("fold", 3), ("final", 3)]),
        *(("drift page", digest(f"inputs{night}")[:16]) for night in (1, 3, 4)),
        *(("mart generation", digest(f"generation{night}")[:16]) for night in (1, 3, 4)),
        *(("panel", digest(f"panel{night}")[:32]) for night in (1, 2, 3, 4)),
    }  # fmt: skip
    prune.carry_out(home, doomed)
    after = everything(home)
    gone = {path for path in before if path not in after and path.name != "lock"}
    assert all(any(one.path == path or one.path in path.parents for one in doomed.going) for path in gone)
    assert prune.plan(home, KEEP).going == []
    assert not (home.work / "pruned").exists()


def test_a_plan_says_what_and_how_much(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    told = prune.plan(home, KEEP).told(home)
    assert told["by_kind"]["drift page"] == {"count": 3, "bytes": 3000}
    assert told["bytes"] == sum(one["bytes"] for one in told["going"])
    assert f"reports/drift/{digest('inputs2')[:16]}.html" in told["kept_because_referred_to"]
    prune.print_plan(told)
    assert "nightdesk prune --yes" in capsys.readouterr().out


def test_the_current_generation_stays_even_when_an_older_one_was_written_again(home: Home) -> None:
    written(home.marts / digest("generation3")[:16] / "generation.json", b'{"digests": {}}', 3_000_000)
    assert digest("generation5")[:16] not in {one.path.name for one in prune.plan(home, KEEP).going}


def test_with_fewer_nights_than_are_kept_no_fit_goes(home: Home) -> None:
    assert not [one for one in prune.plan(home, Retention(fits_nights=5)).going if one.kind == "fit"]
    assert prune.plan(Home(home.root / "empty"), KEEP).going == []


def test_a_home_in_use_is_left_alone(home: Home) -> None:
    import subprocess
    import sys

    holder = "import sys; from pathlib import Path; from pipelines.home import Home\n"
    holder += "with Home(Path(sys.argv[1])).lock(): print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", holder, str(home.root)], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as other:  # fmt: skip
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        before = everything(home)
        with pytest.raises(RuntimeError, match="being written by process"):
            prune.carry_out(home, prune.plan(home, KEEP))
        assert everything(home) == before
        assert other.stdin is not None
        other.stdin.close()
