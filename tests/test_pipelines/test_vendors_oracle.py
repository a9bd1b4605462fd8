"""Malformed payloads of every parser: no good row is lost, no bad one comes in, each refused row stands in quarantine
with its reason and its body. `make proof-payloads` is the whole proof, marts included."""

from pathlib import Path

from pipelines.home import Home
from pipelines.lake.schemas import VENDORS
from pipelines.vendors import cme_streams
from pipelines.vendors.layout import ROUTES, route
from tests.test_pipelines.malformed_kinds import KINDS
from tests.test_pipelines.malformed_lake import (
    assert_facts_are_the_good_rows,
    assert_quarantine_holds_the_others,
    landed,
)

PAYLOADS = 220


def test_every_parser_has_its_kind() -> None:
    assert {route(kind.path(1)) for kind in KINDS} == {one for one in ROUTES if one.vendor in VENDORS}
    assert {kind.dataset for kind in KINDS} >= set(cme_streams.READERS)


def test_no_good_row_is_lost_and_no_bad_one_comes_in(tmp_path: Path) -> None:
    payloads, home = landed(tmp_path, PAYLOADS), Home(tmp_path)
    assert_facts_are_the_good_rows(home, payloads)
    assert_quarantine_holds_the_others(home, payloads)
