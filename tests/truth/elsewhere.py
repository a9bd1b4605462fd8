"""A thousand trials made elsewhere, none with skill, and the best of them submitted as if it were the only one: the
ledger knows of one, the gate is asked in good faith, and only sessions that came after can tell.

`python -m tests.truth.elsewhere --seeds 1000` prints how many get how far, by kind of market."""

import argparse
import math
from collections import Counter

import numpy as np

from models.validation import nulls, rungs, statistics
from models.validation.gate import GatePolicy, best
from models.validation.rungs import Fresh, Lived
from pipelines.evidence.calibration.units import promotes
from pipelines.evidence.decay import LEAST_HEALTHY_SHARPE

TRIALS, JUDGED, AFTER = 1_000, 504, 252
KINDS = ("gaussian", "student_garch", "regime_volatility")
RESERVE = 0.2  # of the sessions at the target's first registration
POLICY = GatePolicy()


def submitted(kind: str, seed: int) -> np.ndarray:
    """(sessions judged and after) of the candidate that looked best on what was judged."""
    active = nulls.null_market(kind, 11, seed, JUDGED + AFTER, TRIALS, 0.0)
    return np.ascontiguousarray(active[:, best(active[:JUDGED])])


def asked(active: np.ndarray, after: int) -> dict[str, bool]:
    """What the gate says of what was judged, and the next rung so many sessions after registration; the sessions on
    paper are taken to have gone perfectly, so that nothing else refuses it."""
    judged, since = active[:JUDGED], active[JUDGED : JUDGED + after]
    record = statistics.moments(judged)
    luck = statistics.expected_maximum(POLICY.min_trials, 1.0 / (JUDGED - 1)) * math.sqrt(252)
    fresh = Fresh(since, float(judged.std(ddof=1)),
                  max(LEAST_HEALTHY_SHARPE, record.sharpe * math.sqrt(252) - luck), "2025-07-01")
    lived = Lived(tuple(map(str, range(60))), np.full(60, 0.001), np.ones(60), np.zeros(60), 300, 0)
    checks = rungs.climb_checks(lived, fresh, rungs.rung("default", "canary"))
    reserve = judged[-int(RESERVE * JUDGED) :]
    hindsight = statistics.psr(statistics.moments(reserve)) >= 0.95
    return {**{one.name: one.passed for one in checks}, "psr_reserve": hindsight}


def walk(kind: str, seed: int) -> dict[str, bool]:
    """How far one submission gets: through the gate, onto a rung at once, onto it on any night of a year."""
    active = submitted(kind, seed)
    gate = promotes(active[:JUDGED, None], 1, POLICY, seed)
    at_once = asked(active, 0)
    climbs = any(asked(active, night)["fresh_evidence"] for night in range(1, AFTER + 1))
    others = {name for name, passed in at_once.items() if not passed} - {"psr_reserve"}
    return {"gate": gate, "reason_is_registration": others == {"fresh_evidence"},
            "at_once": at_once["fresh_evidence"], "within_a_year": climbs, "reserve": at_once["psr_reserve"],
            "both": gate and climbs}


def count(kind: str, seeds: int) -> Counter[str]:
    counted: Counter[str] = Counter()
    for seed in range(seeds):
        counted.update(name for name, did in walk(kind, seed).items() if did)
    return counted


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    seeds = parser.parse_args().seeds
    good = True
    for kind in KINDS:
        told = count(kind, seeds)
        print(f"{kind:18} of {seeds}: pass the gate {told['gate']}, reach a rung on the past alone {told['at_once']}, "
              f"on any night of the year after {told['within_a_year']} (and the gate: {told['both']}); refused at once "
              f"for want of sessions since, and for nothing else {told['reason_is_registration']}; PSR(0) on a reserve "
              f"that the search had seen {told['reserve']}", flush=True)
        good = good and not told["at_once"] and told["within_a_year"] <= 0.05 * seeds
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
