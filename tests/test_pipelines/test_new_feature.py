"""A feature added as CONTRIBUTING says, in a copy of the house, and nothing else touched: everybody knows it."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

ROOMS = ("models", "pipelines", "live", "feature_repo", "tests")


def snippets() -> tuple[str, str]:
    """The two pieces of code that CONTRIBUTING tells to write: a kernel, and its declaration."""
    chapter = (ROOT / "CONTRIBUTING.md").read_text().split("## A new feature")[1].split("\n## ")[0]
    (code,) = re.findall(r"```python\n(.*?)```", chapter, re.DOTALL)
    kernel, declaration = re.split(r"\n\n\n(?=    _declare)", code)
    return kernel, declaration


def test_a_new_feature_is_one_declaration(tmp_path: Path) -> None:
    for room in ROOMS:
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__", "recorded"))
    kernel, declaration = snippets()
    module = tmp_path / "models" / "features" / "equity.py"
    text = module.read_text().replace("\n\ndef _declare(", f"\n\n{kernel}\n\n\ndef _declare(")
    module.write_text(text.replace("FEATURES = (\n", f"FEATURES = (\n{declaration}"))
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run([sys.executable, "-m", "tests.test_pipelines.ask_new_feature"], cwd=tmp_path, env=environment,
                         capture_output=True, text=True)  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-2000:]
    told = json.loads(ran.stdout)
    assert told["catalogue"]["formula"] == told["feast"]["field"] == "High less low of the last session / close."
    assert told["catalogue"]["page"] and told["dagster"] and told["live"]
    assert len(told["feast"]["served"]) == 22 and "range_share" not in told["feast"]["served"]  # as they were judged
    assert told["leak"] == {"honest": [], "peeking": ["range_share"]}
