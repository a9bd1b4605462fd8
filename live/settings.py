"""What a person may set for the runner: limits from a TOML file. A bundle can set none of it."""

import tomllib
from dataclasses import asdict, fields
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from live.risk import Limits, preset
from live.risk.groups import mapping_of


class LimitsError(ValueError):
    """A limits file that cannot be understood."""


def load_limits(path: Path | None) -> Limits:
    """The limits of the file's `preset`, with those that its [limits] section names in their place.

    [classes] and [sectors] list symbols or instruments by group, `tech = ["AAPL", "MSFT"]`; or a file is named whose
    section of that name does: `sectors = "../reports/sectors.toml"`, seen from this one."""
    if path is None:
        return Limits()
    document = tomllib.loads(path.read_text())
    told = dict(document.get("limits", {}))
    try:
        base = preset(str(told.pop("preset", "default")))
    except ValueError as error:
        raise LimitsError(f"{path}: {error}") from None
    for kind in ("classes", "sectors"):
        if (given := document.get(kind, told.get(kind))) is not None:
            told[kind] = mapping_of(_groups(path, kind, given))
    unknown = set(told) - {field.name for field in fields(Limits)}
    if unknown:
        known = ", ".join(field.name for field in fields(Limits))
        raise LimitsError(f"{path}: no limit is called {', '.join(sorted(unknown))}; known: {known}")
    try:
        return TypeAdapter(with_config(ConfigDict(strict=False))(Limits)).validate_python({**asdict(base), **told})
    except ValidationError as error:
        raise LimitsError(f"{path}: {error}") from None


def _groups(path: Path, kind: str, told: object) -> dict[str, list[str]]:
    """Lists of names by group; a word instead is another file."""
    if isinstance(told, str):
        try:
            return _groups(path, kind, tomllib.loads((path.parent / told).read_text()).get(kind))
        except (OSError, ValueError) as problem:
            raise LimitsError(f"{path}: {kind} = {told!r} cannot be read: {problem}") from None
    if not isinstance(told, dict) or not all(isinstance(names, list) for names in told.values()):
        raise LimitsError(f"{path}: {kind} lists names by group, like tech = ['AAPL'], or names a file that does")
    return told


def load_keys(path: Path) -> tuple[bytes, ...]:
    """Trusted public keys: a file with one Ed25519 key in hex, or a folder (also of a desk's keys) of such `.pub`s."""
    folder = path / "trusted" if (path / "trusted").is_dir() else path
    files = sorted(folder.glob("*.pub")) if folder.is_dir() else [folder]
    keys = tuple(bytes.fromhex(file.read_text().strip()) for file in files)
    if not keys or any(len(key) != 32 for key in keys):
        raise ValueError(f"no public key at {path}: give a .pub file of 64 hexadecimal digits, or a folder of them")
    return keys
