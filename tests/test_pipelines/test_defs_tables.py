"""Tables of an asset's page, as Dagster takes them."""

import dagster as dg

from pipelines.defs.tables import pairs, readable, table


def test_nothing_to_tell_is_an_empty_table_and_ends_no_night() -> None:
    for told in (table([]), readable([]), pairs({})):
        assert isinstance(told, dg.TableMetadataValue) and told.records == []


def test_figures_have_a_person_s_digits() -> None:
    told = readable([{"share": 0.123456, "sum": 12345.678, "count": 7, "name": "a"}])
    assert told.records == [dg.TableRecord({"share": 0.1235, "sum": 12345.7, "count": 7, "name": "a"})]


def test_what_a_row_lacks_is_empty_in_it() -> None:
    told = table([{"fold": 1}, {"fold": 2, "rank_ic": 0.5}])
    assert [record.data for record in told.records] == [{"fold": 1, "rank_ic": None}, {"fold": 2, "rank_ic": 0.5}]
    assert [(column.name, column.type) for column in told.schema.columns] == [("fold", "int"), ("rank_ic", "float")]
