"""How dbt's nodes are called in the graph: sources are the landed facts, models stand under staging and marts."""

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings

from pipelines.defs.warehouse import words
from pipelines.lake.schemas import VENDORS

OWNERS = ["team:nightdesk"]


class WarehouseTranslator(DagsterDbtTranslator):  # type: ignore[misc]
    """Several sources are one vendor's facts; what was refused comes from all vendors."""

    def __init__(self) -> None:
        super().__init__(
            DagsterDbtTranslatorSettings(enable_asset_checks=True, enable_duplicate_source_asset_keys=True)
        )

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        name = dbt_resource_props["name"]
        if dbt_resource_props["resource_type"] == "source":
            vendor = dbt_resource_props["meta"]["vendor"]
            return dg.AssetKey(["facts", vendor if vendor in VENDORS else VENDORS[0]])
        folder = dbt_resource_props["fqn"][1]
        return dg.AssetKey([folder, name.removeprefix("stg_")])

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: Any) -> dg.AssetSpec:
        spec = super().get_asset_spec(manifest, unique_id, project)
        properties = self.get_resource_props(manifest, unique_id)
        if properties["resource_type"] != "model":
            return spec
        deps = list(spec.deps)
        if properties["name"] == "quarantine":
            deps = [dg.AssetDep(["facts", vendor]) for vendor in VENDORS]
        return spec.replace_attributes(
            deps=deps, group_name="warehouse", owners=OWNERS,
            kinds={"dbt", "duckdb", "python" if properties["language"] == "python" else "sql"},
        )  # fmt: skip

    def get_asset_check_spec(
        self, asset_spec: dg.AssetSpec, manifest: Mapping[str, Any], unique_id: str, project: Any
    ) -> dg.AssetCheckSpec | None:
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        if spec is None or spec.description:
            return spec
        return spec._replace(description=words.question(manifest["nodes"][unique_id]))
