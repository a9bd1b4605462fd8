"""The dbt project as assets: one step builds, tests and publishes all marts, or tells again what stands unchanged."""

from collections.abc import Iterator
from graphlib import TopologicalSorter
from typing import Any

import dagster as dg
from dagster_dbt import dbt_assets

from pipelines.defs.warehouse.translator import WarehouseTranslator
from pipelines.lake import dbt_project
from pipelines.lake.dbt_project import NodeResult, WarehouseFailed
from pipelines.resources import HomeResource

_UNIQUE_ID = "dagster_dbt/unique_id"


def _check_results(context: dg.AssetExecutionContext, tests: tuple[NodeResult, ...]) -> Iterator[dg.AssetCheckResult]:
    """What dbt's tests said, as checks of the assets they look at."""
    specs = {spec.metadata.get(_UNIQUE_ID): spec for spec in context.assets_def.check_specs}
    for test in tests:
        spec = specs.get(test.unique_id)
        if spec is None or spec.key not in context.selected_asset_check_keys or test.status == "skipped":
            continue
        warned = test.status == "warn"
        yield dg.AssetCheckResult(
            asset_key=spec.asset_key, check_name=spec.name, passed=test.status == "pass",
            severity=dg.AssetCheckSeverity.WARN if warned else dg.AssetCheckSeverity.ERROR,
            metadata={"rows_failing": test.failures, "status": test.status, "message": test.message or "none"},
        )  # fmt: skip


def _upstream_first(context: dg.AssetExecutionContext) -> list[dg.AssetKey]:
    """The selected assets in an order that Dagster accepts within one step, and always the same one."""
    upstream = {spec.key: {dep.asset_key for dep in spec.deps} for spec in context.assets_def.specs}
    order = TopologicalSorter({key: sorted(upstream[key]) for key in sorted(upstream)}).static_order()
    return [key for key in order if key in context.selected_asset_keys]


@dbt_assets(manifest=dbt_project.prepare(), dagster_dbt_translator=WarehouseTranslator(), name="warehouse")
def warehouse(context: dg.AssetExecutionContext, home: HomeResource) -> Iterator[Any]:
    """Build a generation of marts from tonight's facts. Unchanged facts run nothing and keep every data version."""
    from pipelines.defs.warehouse import story
    from pipelines.lake import completeness, marts
    from pipelines.progress import say, step

    desk = home.home()
    try:
        with step("warehouse"):
            built = marts.build(desk, now=home.now())
    except WarehouseFailed as failed:
        yield from _check_results(context, failed.results)
        raise
    if empty := [mart for mart, rows in sorted(built.rows.items()) if not rows and mart != "quarantine"]:
        say(f"    without input, so left empty: {', '.join(empty)}")
    desk.write_section("warehouse", story.section(built))
    desk.write_section("completeness", completeness.of_home(desk, home.settings().source, home.now()))
    versions = story.data_versions(desk, built)
    for key in _upstream_first(context):
        yield dg.MaterializeResult(
            asset_key=key, data_version=dg.DataVersion(versions[key.path[0], key.path[-1]]),
            metadata=(story.metadata(desk, built, key.path[-1]) if key.path[0] == "marts" else
                      story.staging_metadata(built, key.path[-1])),
        )  # fmt: skip
    yield from _check_results(context, built.tests)
