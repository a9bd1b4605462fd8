"""What is refused stays visible: single rows, whole bodies, and the good body that comes after."""

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipelines.home import Home
from pipelines.lake.facts import quarantined
from pipelines.lake.schemas import DATASETS, QUARANTINE, RECEIPTS
from pipelines.vendors.parsing import REASONS
from tests.test_pipelines import bodies
from tests.test_pipelines.bodies import bar, grouped
from tests.test_pipelines.lake_told import at, land, versions

DAY = bodies.GROUPED_PATH


def names(count: int) -> list[str]:
    return [f"N{number:03d}" for number in range(count)]


def day(count: int, bad: int) -> bytes:
    return grouped(*(bar(name, v=-1 if number < bad else 100) for number, name in enumerate(names(count))))


def rows(folder: Path) -> list[dict[str, Any]]:
    files = sorted((folder / "lake" / "quarantine").glob("batch-*.parquet"))
    return [row for file in files for row in pq.read_table(file).to_pylist()]


def test_a_few_bad_rows_are_set_aside_with_their_place_and_text(tmp_path: Path) -> None:
    result = land(tmp_path, (DAY, at(1), day(100, 9)), now=at(1))
    assert result.rows["equity_bars"] == 91
    assert result.quarantined == {"bad_volume": 9}
    first = rows(tmp_path)[0]
    assert (first["vendor"], first["dataset"], first["path"], first["row_index"]) == ("polygon", "equity_bars", DAY, 0)
    assert '"T": "N000"' in first["row_text"]
    assert first["received_at"] == at(1)
    assert (tmp_path / "lake/raw/bodies" / first["body_sha256"][:2] / first["body_sha256"]).exists()


def test_a_body_with_too_many_bad_rows_is_refused_whole(tmp_path: Path) -> None:
    result = land(tmp_path, (DAY, at(1), day(100, 10)), now=at(1))
    assert result.rows == {}
    assert Counter(row["reason"] for row in rows(tmp_path)) == {"bad_volume": 10, "batch_refused": 90}
    assert [row["row_index"] for row in rows(tmp_path)] == list(range(100))


def test_the_good_body_that_follows_counts_from_its_receipt(tmp_path: Path) -> None:
    land(tmp_path, (DAY, at(1), day(100, 10)), now=at(1))
    result = land(tmp_path, (DAY, at(2), day(100, 0)), now=at(2))
    assert result.rows["equity_bars"] == 100
    assert {moment for moment, _ in versions(tmp_path, "equity_bars", "available_at", "ticker")} == {at(2)}
    assert quarantined(Home(tmp_path)) == {"bad_volume": 10, "batch_refused": 90}  # what was refused stays on record


def test_a_page_of_html_costs_its_vendor_one_line_and_the_others_nothing(tmp_path: Path) -> None:
    result = land(
        tmp_path, (DAY, at(1), b"<html>maintenance</html>"),
        (bodies.CHAIN_PATH, at(1), bodies.chain(bodies.option("SPXW250703C06000000"))), now=at(1),
    )  # fmt: skip
    assert result.quarantined == {"not_data": 1}
    assert result.rows == {"option_chain": 1}


def test_every_file_of_a_fresh_home_has_its_full_schema_and_no_rows(tmp_path: Path) -> None:
    result = land(tmp_path, now=at(1))
    assert result.unchanged
    first = tmp_path / "lake/raw/facts/batch-000000"
    schemas = {dataset.name: dataset.schema for dataset in DATASETS.values()} | {"receipts": RECEIPTS}
    for name, schema in schemas.items():
        table = pq.read_table(first / f"{name}.parquet")
        assert (table.schema, table.num_rows) == (schema, 0)
    assert pq.read_table(tmp_path / "lake/quarantine/batch-000000.parquet").schema == QUARANTINE


def test_reasons_are_the_designs_closed_list() -> None:
    assert set(REASONS) == set(
        "bad_type missing_field bad_price bad_range bad_volume bad_time bad_symbol unknown_instrument duplicate "
        "bad_print schema_drift not_data truncated batch_refused".split()
    )


@pytest.mark.parametrize("body", [day(100, 10), b"<html>maintenance</html>"])
def test_a_refused_body_that_nobody_timed_says_the_same_whenever_it_is_read(body: bytes, tmp_path: Path) -> None:
    for name, now in (("soon", at(2)), ("late", at(30))):
        land(tmp_path / name, (DAY, None, body), now=now)
    assert rows(tmp_path / "soon") == rows(tmp_path / "late") != []
