"""docs/names.md: everything in it can be had from where it says, with the parameters it says, in their order."""

import inspect
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from pipelines.store import FeatureRegistry, catalogue

PAGE = Path(__file__).parents[2] / "docs" / "names.md"
README = PAGE.parents[1] / "README.md"
SPAN = re.compile(r"`([^`]+)`")
CALL = re.compile(r"(\.?\w+)(?:\((.*)\))?$")


def rows(page: Path) -> list[tuple[str, list[str]]]:
    """(module, names) of each row of three cells that begins with a module."""
    found = []
    for line in page.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 3 and re.fullmatch(r"`(models|live|pipelines)[\w.]*`", cells[0]):
            found.append((cells[0].strip("`"), SPAN.findall(cells[1])))
    return found


def parameters(told: Any, named: list[str]) -> None:
    """The call that is written down is one that works."""
    known = [one for one in inspect.signature(told).parameters.values() if one.name != "self"]
    assert [one.name for one in known[: len(named)]] == named, told
    wanted = [one.name for one in known[len(named):] if one.default is one.empty and one.kind is not one.VAR_KEYWORD]
    assert wanted in ([], ["seed"]), (told, wanted)


@pytest.mark.parametrize(("module", "names"), rows(PAGE), ids=lambda one: one if isinstance(one, str) else one[0])
def test_a_name_is_there_with_its_parameters(module: str, names: list[str]) -> None:
    owner: Any = None
    room = import_module(module)
    for name in names:
        found = CALL.fullmatch(name)
        assert found is not None, name
        called, given = found[1], [one for one in re.split(r",\s*", found[2] or "") if one]
        if not called.startswith("."):
            owner = getattr(room, called)
            assert called in getattr(room, "__all__", [called])
        told = getattr(owner, called[1:]) if called.startswith(".") else owner
        if found[2] is not None:
            parameters(told, given)


def test_the_page_is_read_and_the_front_page_shows_no_name_that_it_lacks() -> None:
    listed = {re.split(r"[(]", name)[0] for _, names in rows(PAGE) for name in names}
    assert len(rows(PAGE)) > 35 and len(listed) > 90
    front = README.read_text().partition("## Under the names people look for")[2].partition("\n## ")[0]
    shown = {word for span in SPAN.findall(front) for word in re.findall(r"\b[A-Z]+[a-z]\w*[A-Z]\w*", span)}
    assert shown and shown <= listed, shown - listed


def test_the_registry_in_words_is_the_catalogue() -> None:
    registry = FeatureRegistry()
    told = {one["ref"]: one for one in catalogue.entries()}
    assert list(registry.names()) == list(told)
    assert all(registry.describe(name) == told[name] for name in list(told)[::40])
    both = [registry.describe(f"technical_v{version}:rsi") for version in (1, 2)]
    assert [one["version"] for one in both] == [1, 2] and both[0]["formula"] != both[1]["formula"]
    assert registry.to_yaml() == catalogue.as_yaml(catalogue.entries())
    with pytest.raises(KeyError, match="no such feature"):
        registry.describe("nobody")
