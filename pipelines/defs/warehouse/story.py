"""What graph and report are told about a generation of marts: rows, columns, changes, versions, two pictures."""

from typing import Any

import dagster as dg
import duckdb

from pipelines.digest import json_digest
from pipelines.home import Home
from pipelines.lake import dbt_project, views
from pipelines.lake.marts import MartsBuild

MOST_NAMED = 8


def section(built: MartsBuild) -> dict[str, Any]:
    """Tonight's part of the report."""
    failed = [test.name for test in built.tests if test.status != "pass"]
    return {
        "generation": built.generation,
        "unchanged": built.unchanged,
        "seconds": round(built.seconds, 3),
        "marts": {mart: {"rows": built.rows[mart], "digest": built.digests[mart]} for mart in sorted(built.rows)},
        "tests": {"passed": len(built.tests) - len(failed), "failed": failed},
    }


def data_versions(home: Home, built: MartsBuild) -> dict[tuple[str, str], str]:
    """Marts are versioned by what they say; staging views by the facts and the code that they show."""
    from pipelines.lake.facts import vendor_digest

    staged = json_digest([vendor_digest(home, "polygon"), dbt_project.code_digest()])
    versions = {("marts", mart): digest for mart, digest in built.digests.items()}
    return {**versions, **{("staging", name): staged for name in STAGING}}


STAGING = tuple(sorted(p.stem.removeprefix("stg_") for p in (dbt_project.PROJECT / "models/staging").glob("stg_*.yml")))


def metadata(home: Home, built: MartsBuild, mart: str) -> dict[str, Any]:
    """Row count, columns, where it lies, and a picture where one says more."""
    import pyarrow.parquet as pq

    path = built.path / f"{mart}.parquet"
    columns = [dg.TableColumn(field.name, str(field.type)) for field in pq.read_schema(path)]
    told: dict[str, Any] = {
        "dagster/row_count": built.rows[mart],
        "dagster/column_schema": dg.TableSchema(columns),
        "dagster/table_name": f"marts.{mart}",
        "dagster/uri": str(path),
        "grain": ", ".join(views.GRAINS[mart]),
        "generation": built.generation,
        "unchanged": built.unchanged,
    }
    told |= _changed(home, built, mart)
    picture = _picture(home, built, mart)
    return {**told, "picture": dg.MetadataValue.md(picture)} if picture else told


def staging_metadata(built: MartsBuild, view: str) -> dict[str, Any]:
    """A view has no rows of its own: what it shows went into the marts."""
    from pipelines.lake.marts import staged_columns

    columns = staged_columns(built.path).get(view, {})
    return {"dagster/column_schema": dg.TableSchema([dg.TableColumn(name, kind) for name, kind in columns.items()]),
            "generation": built.generation}


def _changed(home: Home, built: MartsBuild, mart: str) -> dict[str, Any]:
    """Which sessions and instruments of a mart are other than in the generation before."""
    from pipelines.lake import changes
    from pipelines.lake.marts import generation_before, mart_digests

    before = None if built.unchanged else generation_before(home, built)
    told = changes.NONE if built.unchanged else None
    if before is not None and mart_digests(before).get(mart) == built.digests[mart]:
        told = changes.NONE
    elif before is not None and (before / f"{mart}.parquet").exists():
        with duckdb.connect(config={"threads": 1}) as connection:
            told = changes.between(before / f"{mart}.parquet", built.path / f"{mart}.parquet", connection)
    if told is None:
        return {"changed_rows": built.rows[mart], "because_of": "all of it is new"}
    named = ", ".join(told.instruments[:MOST_NAMED]) or "nothing"
    more = f" and {len(told.instruments) - MOST_NAMED} more" if len(told.instruments) > MOST_NAMED else ""
    return {"changed_rows": told.rows, "changed_sessions": told.sessions, "changed_instruments": named + more,
            "first_changed": told.first or "none", "last_changed": told.last or "none"}


def _picture(home: Home, built: MartsBuild, mart: str) -> str | None:
    """Drawn once for each state of a mart, as markdown with the image inside."""
    from pipelines import durable
    from pipelines.defs.warehouse import pictures

    draw = pictures.OF.get(mart)
    if draw is None or not built.rows[mart]:
        return None
    kept = home.work / "pictures" / f"{mart}-{built.digests[mart][:16]}.md"
    if not kept.exists():
        with views.open_folder(built.path) as connection:
            durable.write_atomic(kept, draw(connection).encode())
        for old in sorted(kept.parent.glob(f"{mart}-*.md")):
            if old != kept:
                old.unlink()
    return kept.read_text()
