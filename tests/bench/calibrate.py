"""How often the gate promotes noise, a row a family: what was measured and kept, beside what a market costs today."""

import json
import os
from pathlib import Path
from typing import Any

from models.validation import nulls
from models.validation.policy import preset
from pipelines.evidence import policy as policies
from pipelines.evidence.calibration import units
from pipelines.home import Home
from tests.bench.measure import Row, peak_mb, timed

MARKETS, CORRELATION = 20, 0.5
WHOLE = "whole-path-*/*whole-path.json"  # in a home that calibrated; what the repository keeps lies beside the policy


def _kept(told: dict[str, Any], family: str) -> str:
    nights = [one for one in told["night"] if one["family"] == family]
    years = next(one for one in told["year"] if one["family"] == family)
    promoted, markets = (sum(one[name] for one in nights) for name in ("promoted", "markets"))
    return (f"{promoted} of {markets:,} false promotions in single nights, {years['promoted']} of {years['years']} "
            f"years of nights (seed {told['seed']})")


def _whole_path(home: Home) -> list[Row]:
    """What `nightdesk models calibrate --whole-path` left in this home, of each family the newest by name; else what it
    left in the repository."""
    kept = [*sorted(policies.SHIPPED.glob("whole-path/*.json")), *sorted(home.calibration.glob(WHOLE))]
    newest = {told.get("family", "gbm"): told["rows"] for told in (json.loads(path.read_text()) for path in kept)}
    return [Row(f"calibrate whole path {family} {row['kind']}", ours_s=row["median_seconds"], samples=row["markets"],
                note=f"{row['promoted']} of {row['markets']} "
                     + (f"true promotions, {row['share_of_oracle']:.0%} of the oracle's Sharpe"
                        if "share_of_oracle" in row else "false promotions") + "; seconds a market")
            for family, rows in newest.items() for row in rows]


def rows() -> list[Row]:
    bars = preset("default")
    told = policies.calibrations(None)[bars.digest()]
    measured = []
    for family in nulls.FAMILIES:
        took = timed(lambda family=family: units.null_night(bars, 7, family, CORRELATION, MARKETS), runs=3)
        measured.append(Row(f"calibrate {family}", ours_s=took.median_s / MARKETS, cold_s=took.cold_s / MARKETS,
                            samples=took.runs, peak_mb=peak_mb(), note=f"{_kept(told, family)}; seconds a market"))
    home = Home(Path(os.environ.get("NIGHTDESK_HOME") or ".nightdesk").resolve())
    return [*measured, *_whole_path(home)]
