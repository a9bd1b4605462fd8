"""The leak gate: change what was learnt after a decision, build everything again, and every bit before it must stand.

A library over any home, the night's own check among its users:

    from pipelines.store import leak

    result = leak.leak_check(home, now=now, moments=leak.sample_decisions(days, seed=7, count=4))
    for finding in result.findings:
        print(finding.feature, finding.entity, finding.first_bad_time, finding.input, finding.detector)

Three variants, all on knowledge time. `truncate` deletes every fact with `available_at` after the decision, `scramble`
deals the values of those facts out again among them, `extreme` blows them up or shrinks them. From the raw layer:
`with leak.rebuilt(home, at, "scramble", now=now) as con:` gives the marts that follow from such facts. On cells alone,
without the warehouse: `leak.altered_cells(cells, at, "extreme", chance)`. What is compared is every cell of every
session and, for the sessions near the decision and all that a moved cell touches, every feature. Where one moved, the
gate looks again from the beginning for the first bad time, and then for the one dataset or column that moves it.

`audit` needs no rebuilding: no cell may be stamped other than its facts were, nor be known before them, and no feature
may have a value where its entity has no bar. `parity_check` holds live's tail to the table.

Models have a gate of their own, `model_check`: a learner is fitted again on what was known at a decision.

Another `Recipe` than the registry's (features, derivation, cells) can be checked before it joins it.
"""

from pipelines.store.leak.audit import audit
from pipelines.store.leak.cells import altered_cells
from pipelines.store.leak.compare import ROW, Finding, compare, moved_cells
from pipelines.store.leak.facts import VARIANTS, Rebuild, Variant, rebuilt
from pipelines.store.leak.gate import LeakResult, leak_check, parity_check, run_gate
from pipelines.store.leak.learner import Walk
from pipelines.store.leak.models import Known, ModelFinding, Told, model_check
from pipelines.store.leak.sample import sample_decisions

__all__ = [
    "ROW", "VARIANTS", "Finding", "Known", "LeakResult", "ModelFinding", "Rebuild", "Told", "Variant", "Walk",
    "altered_cells", "audit", "compare", "leak_check", "model_check", "moved_cells",
    "parity_check", "rebuilt", "run_gate", "sample_decisions",
]  # fmt: skip
