"""What happened tonight, as the night's steps wrote it down. A step that wrote nothing is an empty section."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pipelines.report import words

SECTIONS = ("ingest", "warehouse", "completeness", "features", "leak", "training", "judged", "model_leak", "drift",
            "decay", "verdict", "bundle", "baselines", "ladder", "live", "twin", "price_tag", "tear_sheets")
Tone = Literal["good", "bad", "warn", "quiet"]


@dataclass(frozen=True)
class Story:
    now: dt.datetime
    source: str
    seed: int
    sections: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    skipped: Mapping[str, str] = field(default_factory=dict)  # section -> why there was nothing to do

    def get(self, name: str) -> dict[str, Any]:
        return self.sections.get(name) or {}

    @property
    def night(self) -> str:
        return self.now.date().isoformat()

    @property
    def strategies(self) -> list[dict[str, Any]]:
        return list(self.get("judged").get("strategies") or [])

    @property
    def chosen(self) -> dict[str, Any]:
        """The strategy that the verdict is about; without a verdict, the best candidate."""
        verdict = self.get("verdict")
        for known_as in ("key", "strategy"):
            wanted = verdict.get(known_as)
            for strategy in self.strategies:
                if wanted and wanted in (strategy.get("key"), strategy.get("name")):
                    return strategy
        candidates = [one for one in self.strategies if one.get("kind") == "candidate"] or self.strategies
        return max(candidates, key=lambda one: words.finite(one.get("sharpe_net")) or -1e9, default={})

    @property
    def sample(self) -> str:
        """The judged sessions in words, to stand under every figure that is computed on them."""
        sessions = self.get("judged").get("sessions") or []
        if not sessions:
            return "no judged sessions"
        return f"{words.plural(len(sessions), 'session')}, {words.span(sessions[0], sessions[-1])}"


def verdict_of(story: Story) -> tuple[Tone, str, str]:
    """Tone, a word for the stamp, and the sentence that the whole page is about."""
    verdict, leak = story.get("verdict"), story.get("leak")
    name = verdict.get("strategy") or "the candidate"
    if verdict:
        act, promoted = verdict.get("attempted") or verdict.get("act"), bool(verdict.get("promoted"))
        if act == "refresh" and promoted:
            return "good", "Refreshed", f"{name} keeps its place, with weights refitted tonight."
        if act == "refresh":
            return (
                "warn",
                "Not refreshed",
                f"{name} trades on with the weights it had; tonight’s refit was not good enough.",
            )
        if promoted:
            return "good", "Promoted", f"{name} may trade from the next session."
        return "bad", "Rejected", f"{name} did not pass the gate, so nothing new trades."
    if leak and not (leak.get("passed") and leak.get("parity_passed", True)):
        return "bad", "Stopped", "The leak gate found a value that could not have been known, so nothing was judged."
    if "verdict" in story.skipped:
        return "quiet", "No verdict", story.skipped["verdict"]
    return "quiet", "No verdict", "The night ended before a strategy was judged."
