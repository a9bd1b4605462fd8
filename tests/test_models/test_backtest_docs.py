"""What docs/backtesting.md shows is run as it stands there."""

import re
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[2] / "docs" / "backtesting.md"


def test_the_examples_run_and_give_what_is_said_of_them() -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    here: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), here)
    assert len(blocks) == 3
    assert here["told"].sharpe.shape == (10_000,) and here["best"]["sharpe"][0].as_py() == here["told"].sharpe.max()
    assert here["anything"].trades.min() > 500
    assert here["book"].figures()["trades"] > 0
    assert set(here["result"].frames()) >= {"equity", "positions", "trades", "allocation", "attribution", "risk"}
