"""The account in Prometheus's text format, read from the journal at each scrape."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from live.risk import RiskState
from live.view import View

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric


class Account:
    """A collector: nothing is counted in memory, so a restart loses no count."""

    def __init__(self, view: View) -> None:
        self._view = view

    def collect(self) -> Iterator["Metric"]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        status, pnl = self._view.status(), self._view.pnl()
        gauges = (
            ("nightdesk_equity_usd", "Worth of the account at the last close", status["equity"]),
            ("nightdesk_session_pnl_usd", "Net profit of the last session", status["pnl"]),
            ("nightdesk_drawdown_ratio", "Share lost since the highest close", status["drawdown"]),
            ("nightdesk_positions", "Names held", status["positions"]),
            ("nightdesk_journal_rows", "Rows in the journal", status["journal"]["rows"]),
            ("nightdesk_kill_switch", "1 while the kill file is there", int(status["kill"]["thrown"])),
        )
        for name, text, value in gauges:
            yield GaugeMetricFamily(name, text, value=float(value))
        for name in ("orders", "fills", "refused"):
            yield CounterMetricFamily(f"nightdesk_{name}", f"{name} of all sessions".capitalize(),
                                      value=float(sum(row[name] for row in pnl["sessions"])))
        yield CounterMetricFamily("nightdesk_costs_usd", "Costs of all sessions", value=float(pnl["total_costs"]))
        states = GaugeMetricFamily("nightdesk_state", "1 for the state the account is in", labels=["state"])
        for state in RiskState:
            states.add_metric([state], float(status["state"] == state))
        yield states
        limits = GaugeMetricFamily("nightdesk_limit_used_ratio", "Share of each limit used up", labels=["limit"])
        for row in self._view.used():
            if isinstance(row["used"], float):
                limits.add_metric([row["limit"]], row["used"])
        yield limits
        held = GaugeMetricFamily("nightdesk_position_usd", "Signed worth of each position", labels=["symbol"])
        for row in self._view.positions():
            held.add_metric([row["symbol"]], row["value"])
        yield held


def exposition(view: View) -> tuple[bytes, str]:
    """The scrape's body and its content type."""
    from prometheus_client import CollectorRegistry
    from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Account(view))
    return generate_latest(registry), CONTENT_TYPE_LATEST
