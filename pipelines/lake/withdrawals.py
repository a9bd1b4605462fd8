"""Facts that a vendor takes back: gone from a list that once told them, they get a version that says so."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from pipelines.home import Home
from pipelines.lake import raw
from pipelines.lake.facts import read_dataset
from pipelines.lake.schemas import DATASETS
from pipelines.progress import say
from pipelines.settings import Quarantine
from pipelines.vendors import layout
from pipelines.vendors.contents import Unusable, load_json

# Lists that are asked for whole. A ticker never leaves its list: it is delisted.
LISTS = ("splits", "dividends", "borrow")
OWN = ("borrow",)  # a desk's own list means what it says, however short it has become
_OLDER = "v3:"  # of ids from the older endpoint, whose list is another


Fact = tuple[Any, ...]  # what a dataset's grain says


def _facts(dataset: str, rows: Iterable[Mapping[str, Any]]) -> dict[Fact, Mapping[str, Any]]:
    return {tuple(row[name] for name in DATASETS[dataset].grain): row for row in rows}


@dataclass(frozen=True)
class Page:
    """One body of a list as it stood at one pull: its rows, whether all of it was read, and whether more follows."""

    ids: frozenset[Fact]
    rows: pa.Table
    sound: bool
    goes_on: bool


@dataclass
class Withdrawals:
    """Pulls of one run, by dataset, slot and moment of receipt: path, hash, and whether the body was new."""

    home: Home
    limits: Quarantine
    _pulls: dict[tuple[str, str], dict[dt.datetime, list[tuple[str, str, bool]]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )

    def add(self, dataset: str, slot: str, moment: dt.datetime, path: str, sha256: str, *, is_new: bool) -> None:
        if dataset in LISTS:
            self._pulls[dataset, slot][moment].append((path, sha256, is_new))

    def _page(self, path: str, sha256: str) -> Page:
        found, body = layout.route(path), raw.read_body(self.home, sha256)
        assert found is not None
        table, rejects = found.parser(body, path)
        try:
            document = load_json(body)
        except Unusable:
            document = {}
        goes_on = isinstance(document, dict) and bool(document.get("next_url"))
        rows = table.drop_columns(["row_index"])
        return Page(frozenset(_facts(found.dataset, rows.to_pylist())), rows, not rejects, goes_on)

    def rows(self) -> Iterator[tuple[str, str, dt.datetime, str, pa.Table]]:
        """Dataset, slot, moment, evidence and the rows that are no more; each pull compared with what stood before."""
        for (dataset, slot), pulls in sorted(self._pulls.items()):
            if not any(is_new for told in pulls.values() for _, _, is_new in told):
                continue
            standing = self._standing(dataset, older="/v3/" in slot)
            for moment, told in sorted(pulls.items()):
                pages = [self._page(path, sha256) for path, sha256, _ in told]
                gone = set(standing) - {one for page in pages for one in page.ids}
                whole = all(page.sound for page in pages) and sum(page.goes_on for page in pages) == len(pages) - 1
                if gone and whole and (dataset in OWN or self._believable(slot, gone, standing)):
                    rows = [{**standing.pop(one), "withdrawn": True} for one in sorted(gone)]
                    yield dataset, slot, moment, told[0][1], pa.Table.from_pylist(rows, DATASETS[dataset].own)
                standing |= _facts(dataset, (row for page in pages for row in page.rows.to_pylist()))

    def _believable(self, slot: str, gone: set[Fact], standing: Mapping[Fact, Any]) -> bool:
        """A list that lost much of itself is ill: nothing is taken back on its word."""
        if len(gone) < self.limits.min_bad_rows or len(gone) <= self.limits.max_bad_share * len(standing):
            return True
        say(f"    {slot}: {len(gone)} of {len(standing)} facts are no longer listed, too many to be taken back: they "
            "stand until the list is whole again")  # fmt: skip
        return False

    def _standing(self, dataset: str, *, older: bool) -> dict[Fact, Mapping[str, Any]]:
        held = read_dataset(self.home, dataset).sort_by("available_at")
        if not held.num_rows:
            return {}
        newest = _facts(dataset, held.select(DATASETS[dataset].own.names).to_pylist())
        return {one: row for one, row in newest.items()
                if one[0].startswith(_OLDER) == older and not row["withdrawn"]}  # fmt: skip
