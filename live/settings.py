"""What a person may set for the runner: limits from a TOML file. A bundle can set none of it."""

import tomllib
from dataclasses import fields
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from live.risk import Limits


class LimitsError(ValueError):
    """A limits file that cannot be understood."""


def load_limits(path: Path | None) -> Limits:
    """The default limits, with those that the file's [limits] section names in their place."""
    if path is None:
        return Limits()
    told = tomllib.loads(path.read_text()).get("limits", {})
    unknown = set(told) - {field.name for field in fields(Limits)}
    if unknown:
        known = ", ".join(field.name for field in fields(Limits))
        raise LimitsError(f"{path}: no limit is called {', '.join(sorted(unknown))}; known: {known}")
    try:
        return TypeAdapter(with_config(ConfigDict(strict=False))(Limits)).validate_python(told)
    except ValidationError as error:
        raise LimitsError(f"{path}: {error}") from None


def load_keys(path: Path) -> tuple[bytes, ...]:
    """Trusted public keys: a file with one Ed25519 key in hex, or a folder (also of a desk's keys) of such `.pub`s."""
    folder = path / "trusted" if (path / "trusted").is_dir() else path
    files = sorted(folder.glob("*.pub")) if folder.is_dir() else [folder]
    keys = tuple(bytes.fromhex(file.read_text().strip()) for file in files)
    if not keys or any(len(key) != 32 for key in keys):
        raise ValueError(f"no public key at {path}: give a .pub file of 64 hexadecimal digits, or a folder of them")
    return keys
