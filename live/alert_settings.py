"""Which alerts are sent where: a TOML file for what may be seen, the environment for what may not."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from live.alerts import Sink
from live.secret import Secret

PASSWORD, DISCORD, WEBHOOK = "NIGHTDESK_SMTP_PASSWORD", "NIGHTDESK_DISCORD_WEBHOOK", "NIGHTDESK_ALERT_WEBHOOK"


class AlertsError(ValueError):
    """An alerts file that cannot be understood."""


@dataclass(frozen=True)
class Rules:
    """When a condition is worth a person's attention."""

    latency_ms: float = 100.0  # of the slowest hundredth of the engine's cycles
    memory_mb: float = 1000.0
    win_rate: float = 0.6  # over the last `win_rate_trades` closed positions; a few tell nothing
    win_rate_trades: int = 50
    limit_used: float = 0.8
    stale_feed_s: float = 180.0  # of market time without a bar of any name, in session


def load(path: Path | None, environment: Mapping[str, str]) -> tuple[Rules, list[Sink]]:
    """Rules, and a sink for each that is set up; the log is always one."""
    from live.adapters.alerts_email import EmailSink
    from live.adapters.alerts_log import LogSink
    from live.adapters.alerts_webhook import WebhookSink

    told: dict[str, Any] = tomllib.loads(path.read_text()) if path is not None else {}
    unknown = set(told) - {"rules", "email"}
    if unknown:
        raise AlertsError(f"{path}: no section is called {', '.join(sorted(unknown))}; known: rules, email. "
                          f"Addresses of webhooks are secrets: {DISCORD}, {WEBHOOK}")
    rules = Rules(**_checked(path, "rules", told.get("rules", {}), {one.name for one in fields(Rules)}))
    sinks: list[Sink] = [LogSink()]
    if "email" in told:
        known = {"host", "port", "sender", "to", "starttls", "user"}
        email = _checked(path, "email", told["email"], known)
        missing = {"host", "sender", "to"} - set(email)
        if missing:
            raise AlertsError(f"{path}: [email] lacks {', '.join(sorted(missing))}")
        sinks.append(EmailSink(**{"port": 587, **email}, password=Secret(environment.get(PASSWORD, ""))))
    if environment.get(DISCORD):
        sinks.append(WebhookSink(Secret(environment[DISCORD]), "discord"))
    if environment.get(WEBHOOK):
        sinks.append(WebhookSink(Secret(environment[WEBHOOK])))
    return rules, sinks


def _checked(path: Path | None, section: str, told: Mapping[str, Any], known: set[str]) -> dict[str, Any]:
    unknown = set(told) - known
    if unknown:
        hint = f" (a password comes from {PASSWORD})" if "password" in unknown else ""
        raise AlertsError(f"{path}: [{section}] knows no {', '.join(sorted(unknown))}{hint}; known: "
                          + ", ".join(sorted(known)))
    return dict(told)
