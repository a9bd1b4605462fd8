"""Whether what would be published is what was judged: structure of the files, bits of the scorers, inputs."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from models import structure
from models.features.panel import FeaturePanel
from models.strategy import Models, StrategyConfig, decide, decide_many
from models.validation.gate import Health
from models.validation.ranges import strange_features
from pipelines.evidence.ledger import Ledger
from pipelines.evidence.records import Records
from pipelines.home import Home
from pipelines.store.leak.words import in_words

REPEATED_DECISIONS = 5
MOST_FINDINGS = 3  # of features and of models, told in a verdict; the report has them all


def structure_faults(files: dict[str, bytes]) -> list[str]:
    """What our own validators refuse of these weights, in words."""
    faults = []
    for name, check in structure.CHECKS.items():
        try:
            check(files[name])
        except (ValueError, KeyError, TypeError, IndexError) as error:
            faults.append(f"{name}: {error}.")
    return faults


def parity_faults(files: dict[str, bytes], strategy: StrategyConfig, panel: FeaturePanel) -> list[str]:
    """Decisions of the last sessions on which the judge's batch and live's single decision differ by a bit."""
    models = Models.from_bytes(hmm=files["hmm.json"], gbm=files["gbm.txt"], gnn=files["gnn.safetensors"])
    last = len(panel.sessions)
    rows = range(max(strategy.history, last - REPEATED_DECISIONS), last)
    faults = []
    for row, batch in zip(rows, decide_many(strategy, models, panel, rows), strict=True):
        alone = decide(strategy, models, panel.select(strategy.features).upto(row + 1))
        for part in ("gbm", "gnn", "score", "weights"):
            if not np.array_equal(getattr(batch, part), getattr(alone, part), equal_nan=True):
                faults.append(f"{part} of {panel.sessions[row]} differ.")
        if batch.regime != alone.regime:
            faults.append(f"The regime of {panel.sessions[row]} differs.")
    return faults


def ledger_clean(home: Home, ledger: Ledger) -> bool:
    """Whether the ledger has all rows that its anchor and MLflow's runs remember, and the head that the last record
    wrote down."""
    from pipelines.training.counted import lost

    last = Records(home).last()
    if ledger.cut or lost(home, ledger):
        return False
    ledger.verify()
    return last is None or ledger.holds(str(last.content["ledger"]["head"]))


def unwritten(ledger: Ledger, target: str, seed: int, judged: Iterable[str]) -> list[str]:
    """Configurations that were judged and stand in no row of the ledger: nobody counted them."""
    known = {row["config_key"] for row in ledger.rows("outer") if row["target"] == target and row["seed"] == seed}
    return [key for key in judged if key not in known]


def examine(
    home: Home, ledger: Ledger, files: dict[str, bytes], strategy: StrategyConfig, panel: FeaturePanel, trained: int
) -> Health:
    """All that must be clean beside skill. Leaks and the parity of features were measured by the leak gate."""
    leak: dict[str, Any] = home.read_section("leak")
    learnt_again: dict[str, Any] = home.read_section("model_leak")
    structural = structure_faults(files)
    scored = parity_faults(files, strategy, panel) if not structural else ["Nothing was scored."]
    features_agree = leak.get("parity_passed")
    words = [in_words(one) for told in (leak, learnt_again) for one in told.get("findings", [])[:MOST_FINDINGS]]
    words += structural + scored
    if features_agree is False:
        words.append("Features computed for one session differ from the same features computed in batch.")
    outside, missing = strange_features(panel.select(strategy.features), trained)
    return Health(
        leak_clean=leak.get("passed") if learnt_again.get("passed", True) else False,
        parity_clean=None if features_agree is None else bool(features_agree) and not scored,
        structure_clean=not structural, out_of_range=outside, missing=missing,
        ledger_clean=ledger_clean(home, ledger), words=tuple(words),
        drifted=tuple(sorted(home.read_section("drift").get("alarms") or ())),
    )
