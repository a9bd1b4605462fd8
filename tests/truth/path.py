"""The night's own path from bytes to verdict, room by room, without the orchestration around it."""

import contextlib
import io
import time
from pathlib import Path
from typing import Any

from pipelines import settings as settings_module
from pipelines.home import Home


def walk(folder: Path, *, seed: int, signal: str | float = "strong", **overrides: Any) -> dict[str, Any]:
    """One whole night in `folder`: ingest, marts, features, leak gate, fits, judgement, verdict, bundle.

    Returns the verdict's section; what every step wrote lies in the home.
    """
    from pipelines import night, sandbox, trading
    from pipelines.evidence.judge import decide_night, verdict_section
    from pipelines.evidence.judged import judge_night
    from pipelines.evidence.package import publish_night
    from pipelines.lake import ingest, marts
    from pipelines.store import build, frame, leak, recipe
    from pipelines.training import inputs as inputs_module
    from pipelines.training.prices import label_returns, read_prices

    settings = settings_module.load(
        {"home": str(folder), "seed": seed, **overrides,
         "sandbox": {"small": True, "signal": signal, "chain_sessions": 5, "tick_sessions": 2,
                     **overrides.get("sandbox", {})}})
    home = Home(settings.home).prepare()
    begun = time.perf_counter()
    marks: dict[str, float] = {}

    def mark(name: str) -> None:
        marks[name] = round(time.perf_counter() - begun, 1)

    with home.lock(), contextlib.redirect_stderr(io.StringIO()):
        now = night.settle(settings, home, run_id=f"truth-{seed}")
        ingest.ingest(settings, home, now)
        mark("ingest")
        built = marts.build(home, now=now)
        home.write_section("warehouse", {"marts": {name: {"digest": value} for name, value in built.digests.items()}})
        mark("marts")
        families = {}
        with marts.connect(home) as connection:
            for view, declared in recipe.USUAL.families().items():
                families[view] = {"digest": build.build_family(home, view, declared, connection).digest}
        home.write_section("features", {"families": families})
        mark("features")
        leak.run_gate(home, now=now, seed=settings.seed, decision_times=settings.leak.decision_times)
        mark("leak")
        panel = frame.decision_panel(home, now=now)
        mark("panel")
        prices = read_prices(home, now, panel)
        told = inputs_module.Inputs(panel, label_returns(prices, panel))
        inputs_module.save(home, told)
        judged, _ = judge_night(home, settings, told, now)
        mark("judged")
        tonight = decide_night(home, settings, told, judged, now)
        section = verdict_section(tonight, settings, float(sandbox.generate(settings).oracle_sharpe()))
        home.write_section("verdict", section)
        home.write_section("bundle", publish_night(home, told, tonight, now))
        mark("bundle")
        live = trading.trade(settings, home, None, "sandbox", 1)
        mark("live")
    return {**section, "seconds": marks, "sharpe_active": _sharpe(judged), "live": live}


def _sharpe(judged: Any) -> dict[str, float]:
    active = judged.series["active"]
    return {one["name"]: round(float(active[:, at].mean() / active[:, at].std(ddof=1) * 252**0.5), 2)
            for at, one in enumerate(judged.candidates)}
