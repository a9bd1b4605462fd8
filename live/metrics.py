"""The account in Prometheus's text format, read from the journal at each scrape."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from live.risk import RiskState
from live.view import View

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

    from live.alerts import Alerter

TRADES = 50  # closed positions that a win rate is read from


class Account:
    """A collector: nothing is counted in memory, so a restart loses no count."""

    def __init__(self, view: View, alerter: "Alerter | None" = None) -> None:
        self._view, self._alerter = view, alerter

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
        trades = self._view.trades(TRADES)
        won = [trade["pnl"] > 0 for trade in trades]
        yield GaugeMetricFamily("nightdesk_win_ratio", f"Share of the last {TRADES} closed positions that made money",
                                value=sum(won) / len(won) if won else float("nan"))
        regime = GaugeMetricFamily("nightdesk_regime_probability", "Of each state, at the last decision",
                                   labels=["regime"])
        for made in self._view.decisions(1):
            for name, share in made["regime"].items():
                regime.add_metric([name], float("nan") if share is None else float(share))
        yield regime
        yield from self._process(status["process"])
        told = CounterMetricFamily("nightdesk_alerts", "What a person was told, by kind", labels=["kind"])
        lost = CounterMetricFamily("nightdesk_alerts_lost", "What a sink was spared or could not take", labels=["sink"])
        if self._alerter is not None:
            for kind, count in sorted(self._alerter.counts.items()):
                told.add_metric([kind], count)
            for name, count in sorted(self._alerter.undelivered().items()):
                lost.add_metric([name], count)
        yield told
        yield lost

    def _process(self, vitals: Mapping[str, Any] | None) -> Iterator["Metric"]:
        """How the runner's own process does; not a number where another process trades."""
        from prometheus_client.core import GaugeMetricFamily

        told = vitals or {}

        def number(name: str, scale: float = 1.0) -> float:
            return float("nan") if told.get(name) is None else told[name] * scale

        yield GaugeMetricFamily("nightdesk_memory_bytes", "Resident memory of the runner",
                                value=number("memory_mb", 1e6))
        cycle = GaugeMetricFamily("nightdesk_cycle_seconds", "Time that one bar or cycle costs", labels=["quantile"])
        cycle.add_metric(["0.5"], number("cycle_p50_ms", 1e-3))
        cycle.add_metric(["0.99"], number("cycle_p99_ms", 1e-3))
        yield cycle
        yield GaugeMetricFamily("nightdesk_feed_silent_seconds", "Market time since any name's last bar, in session",
                                value=number("feed_silent_s"))


def exposition(view: View, alerter: "Alerter | None" = None) -> tuple[bytes, str]:
    """The scrape's body and its content type."""
    from prometheus_client import CollectorRegistry
    from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Account(view, alerter))
    return generate_latest(registry), CONTENT_TYPE_LATEST
