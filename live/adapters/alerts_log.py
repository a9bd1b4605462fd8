"""Alerts into the process's own log: the one way that is always there."""

import logging

from live.alerts import Alert

log = logging.getLogger("nightdesk.alerts")
LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "critical": logging.CRITICAL}


class LogSink:
    name = "log"

    def send(self, alert: Alert) -> None:
        log.log(LEVELS[alert.severity], "%s: %s (%s)", alert.kind, alert.text, alert.at)
