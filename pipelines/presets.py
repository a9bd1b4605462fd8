"""Named bundles of settings: where Nightdesk runs, how it is used, and how large the sandbox is. The weakest layer."""

from collections.abc import Mapping
from typing import Any, Literal

Environment = Literal["development", "staging", "production"]
Profile = Literal["conservative", "balanced", "aggressive", "ultra_fast"]

# Whether orders may leave, and how large, the limit set says: its presets dev, staging and prod (limits.toml).
ENVIRONMENTS: Mapping[str, Mapping[str, Any]] = {
    "development": {"asking": {"workers": 5, "attempts": 4}},  # three retries
    "staging": {"asking": {"workers": 10, "attempts": 5}},
    "production": {"asking": {"workers": 15, "attempts": 6}},
}
PROFILES: Mapping[str, Mapping[str, Any]] = {
    "conservative": {"spend": {"max_usd": 5.0}, "approval": {"rungs": ("shadow", "canary", "champion")}},
    "balanced": {},
    "aggressive": {"spend": {"max_usd": 50.0}},
    "ultra_fast": {"asking": {"workers": 30, "attempts": 3}},
}
SMALL: Mapping[str, Any] = {
    "names": 20, "sessions": 756, "chain_sessions": 30, "minute_sessions": 1, "tick_sessions": 10, "roots": ("ES",),
    "incidents": "few",
}
SIZES: Mapping[str, Mapping[str, Any]] = {
    "small": {"sandbox": SMALL},
    "scale": {"sandbox": {**SMALL, "names": 600, "sessions": 2520}},
}  # fmt: skip


def layers(said: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """The presets that these settings name, by what to call them; a wrong name is left for the settings to refuse."""
    found: list[tuple[str, Mapping[str, Any]]] = []
    for key, presets in (("profile", PROFILES), ("environment", ENVIRONMENTS)):
        if said.get(key) in presets:
            found.append((f"{key} {said[key]}", presets[str(said[key])]))
    sandbox = said.get("sandbox")
    for size, preset in SIZES.items():
        if isinstance(sandbox, Mapping) and str(sandbox.get(size, "")).lower() in ("true", "1", "yes"):
            found.append((f"sandbox.{size}", preset))
    return found
