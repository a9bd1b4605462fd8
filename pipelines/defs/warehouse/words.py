"""What a test of dbt's asks, as a sentence for the page of its check."""

from collections.abc import Mapping
from typing import Any


def question(test: Mapping[str, Any]) -> str | None:
    """Of a generic test from what it was given, of one written out from the comment that it begins with."""
    kind, given = (test.get("test_metadata") or {}).get("name"), (test.get("test_metadata") or {}).get("kwargs", {})
    if kind == "one_row_per_version":
        return f"One row for each {', '.join(given['grain'])} and moment it became known; none of them is missing."
    if kind == "holds":
        return f"Of every row: `{given['condition']}`."
    if kind == "accepted_values":
        return f"`{given['column_name']}` is one of {', '.join(map(str, given['values']))}."
    if kind == "relationships":
        return f"Every `{given['column_name']}` stands in {given['to'].removeprefix('ref(').strip(chr(39) + ')')}."
    if kind == "declared_shape":
        return "The columns and types are those that its contract declares."
    first = str(test.get("raw_code", "")).partition("\n")[0]
    return first.removeprefix("--").strip() if first.startswith("--") else None
