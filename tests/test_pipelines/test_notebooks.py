"""The notebooks run from top to bottom on a home, and hold no output: what they show is that home's."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from pipelines import settings
from pipelines.home import Home
from pipelines.lake import marts
from pipelines.lake.ingest import ingest
from pipelines.sandbox import night_now
from tests import OWN

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
SIZES = {"small": True, "names": 12, "sessions": 140}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("notebooks")).prepare()
    chosen = settings.load({"home": str(home.root), "sandbox": SIZES}, environment=OWN)
    now = night_now(chosen, 0)
    ingest(chosen, home, now)
    marts.build(home, now=now)
    return home


def code(name: str) -> list[str]:
    cells = json.loads((FOLDER / name).read_text())["cells"]
    assert all(cell.get("outputs") in (None, []) and cell.get("execution_count") is None for cell in cells)
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def shown(cell: str, names: dict[str, Any]) -> Any:
    """What a cell's last line gives, as a notebook shows it."""
    body = ast.parse(cell).body
    last = body.pop() if isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names) if isinstance(last, ast.Expr) else None


@pytest.mark.parametrize("name", ["01_data_exploration.ipynb", "02_backtest_example.ipynb"])
def test_a_notebook_runs_from_top_to_bottom(name: str, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTDESK_HOME", str(home.root))
    monkeypatch.setenv("MPLBACKEND", "Agg")
    names: dict[str, Any] = {"__name__": "notebook"}
    told = [shown(cell, names) for cell in code(name)]
    names["con"].close()
    if name.startswith("01"):
        counts = told[0].set_index("mart")["rows"]
        assert counts["daily_bars"] > 1_000 and counts["option_metrics"] > 0
        assert len(told[3]) == 5 and set(told[4].columns) >= {"share_0dte", "gamma_flip"}
        continuous = names["bars"]["continuous"]
        assert (continuous / continuous.shift()).dropna().between(0.5, 2).all()
    else:
        assert list(told[-2].index) == ["account", "momentum", "reversion"] and (told[-2]["sessions"] > 100).all()
        assert (told[-2]["low_95"] < told[-2]["sharpe"]).all() and names["result"].book.excess.any()


def test_no_other_notebook_goes_unrun() -> None:
    assert len(list(FOLDER.glob("*.ipynb"))) == 2
