"""Choices that came later: a configuration that leaves one alone tells the same bytes as before there was a choice."""

from dataclasses import asdict, field, fields, is_dataclass
from typing import Any


def option(default: Any) -> Any:
    """A field of a configuration that is told only where it was chosen."""
    return field(default=default, metadata={"option": True})


def told(config: Any) -> dict[str, Any]:
    """`asdict` of a configuration and those inside it, without the options that stand at their default."""
    values = asdict(config)
    for one in fields(config):
        value = getattr(config, one.name)
        if one.metadata.get("option") and value == one.default:
            del values[one.name]
        elif is_dataclass(value):
            values[one.name] = told(value)
    return values
