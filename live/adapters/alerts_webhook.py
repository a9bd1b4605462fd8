"""Alerts to a webhook: Discord's format, or plain JSON for anything else. The address is a secret in itself."""

import logging
from dataclasses import dataclass
from typing import Any, Literal

from live.alerts import Alert
from live.secret import Secret

TIMEOUT_S = 10.0


@dataclass(frozen=True)
class WebhookSink:
    url: Secret
    format: Literal["discord", "json"] = "json"

    @property
    def name(self) -> str:
        return "discord" if self.format == "discord" else "webhook"

    def send(self, alert: Alert) -> None:
        import httpx

        logging.getLogger("httpx").setLevel(logging.WARNING)  # it writes addresses into the log
        try:
            answer = httpx.post(self.url.reveal(), json=self._body(alert), timeout=TIMEOUT_S, follow_redirects=False)
        except (httpx.HTTPError, httpx.InvalidURL) as problem:
            raise ConnectionError(f"the webhook was not reached: {type(problem).__name__}") from None
        if answer.status_code >= 300:
            raise ConnectionError(f"the webhook answered {answer.status_code}")

    def _body(self, alert: Alert) -> dict[str, Any]:
        if self.format == "discord":  # 2000 characters at most, and nobody is pinged by a symbol's name
            return {"content": f"**{alert.title}**\n{alert.text}\n{alert.at}"[:2000], "allowed_mentions": {"parse": []}}
        return {"kind": alert.kind, "severity": alert.severity, "text": alert.text, "at": alert.at}
