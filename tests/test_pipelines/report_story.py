"""A night's story of realistic size and shape, for the page's tests. Seeded: the same story every time."""

import datetime as dt
import math
import random
from typing import Any

from pipelines import calendars

LAST = "2025-06-30"
FEATURES = {
    "equity_v1": ("ret_1", "ret_5", "ret_20", "resid_ret_5", "vam_20", "zscore_20", "rsi_14", "atr_14", "rv_20",
                  "volume_z_20", "overnight_gap", "close_location", "rank_ret_5", "mkt_ret_1", "mkt_vol_20"),
    "options_v1": ("put_call_ratio", "share_0dte", "gamma_exposure_bn", "iv30"),
    "futures_v1": ("es_poc_distance", "es_delta_share"),
}
ROWS = {"equity_v1": 15_102, "options_v1": 30, "futures_v1": 10}
MARTS = {"instruments": 24, "symbols": 26, "corporate_actions": 112, "daily_bars": 15_408, "universe": 15_429,
         "minute_bars": 7_703, "option_quotes": 18_240, "option_metrics": 30, "futures_trades": 41_882,
         "futures_bars": 13_117, "volume_profile": 10, "order_flow": 13_117, "quarantine": 7}
STRATEGIES = (
    ("ensemble-g30-h5", "candidate", 5.42), ("ensemble-g50-h5", "candidate", 5.31),
    ("ensemble-g00-h5", "candidate", 5.02), ("ensemble-g30-h3", "candidate", 4.93),
    ("ensemble-g50-h3", "candidate", 4.81), ("ensemble-g00-h3", "candidate", 4.47),
    ("momentum", "baseline", 0.62), ("reversal", "baseline", 1.05),
)
REGIMES = (("Bull", 214), ("Bear", 71), ("HighVol_Chop", 59), ("LowVol_Chop", 160))


def _sessions() -> list[str]:
    return [day.isoformat() for day in calendars.previous_sessions(dt.date.fromisoformat(LAST), 504)]


def _digest(chance: random.Random) -> str:
    return f"{chance.getrandbits(256):064x}"


def _curve(chance: random.Random, sharpe: float, volatility: float, n: int) -> list[float]:
    """Cumulative return on a constant capital, from one."""
    daily, equity, curve = volatility / math.sqrt(252), 1.0, []
    for _ in range(n):
        equity += daily * (sharpe / math.sqrt(252) + chance.gauss(0, 1))
        curve.append(equity)
    return curve


def _deepest(curve: list[float]) -> float:
    peak, depth = 1.0, 0.0
    for value in curve:
        peak = max(peak, value)
        depth = max(depth, peak - value)
    return depth


def _strategy(chance: random.Random, name: str, kind: str, sharpe: float, sessions: list[str]) -> dict[str, Any]:
    curve, last = _curve(chance, sharpe, 0.09, len(sessions)), len(sessions) - 1
    folds = [{"first": sessions[i], "last": sessions[min(i + 62, last)], "sharpe": sharpe + chance.gauss(0, 1.6)}
             for i in range(0, len(sessions), 63)]
    return {
        "name": name, "kind": kind, "key": f"{name}-8f2c41d09b7a", "equity": curve, "sharpe_net": sharpe,
        "sharpe_active": sharpe - 0.1, "sharpe_gross": sharpe + 0.7, "annual_return": sharpe * 0.09,
        "max_drawdown": _deepest(curve), "turnover_daily": 0.31, "cost_bp_daily": 1.4,
        "psr": min(0.9999, 0.5 + sharpe / 9), "dsr": min(0.999, 0.3 + sharpe / 8), "folds": folds,
        "by_regime": {state: {"sessions": n, "sharpe": sharpe + chance.gauss(0, 1)} for state, n in REGIMES},
    }


def _feature(chance: random.Random) -> dict[str, Any]:
    width = chance.uniform(3, 5)
    counts = [round(300 * math.exp(-(((i - 12) / width) ** 2))) for i in range(24)]
    return {
        "null_share": chance.choice([0.0, 0.0, 0.013, 0.027]), "mean": chance.gauss(0, 0.01), "std": 0.021,
        "p01": -0.055, "p99": 0.061, "histogram": {"counts": counts},
    }


def _features(chance: random.Random) -> dict[str, Any]:
    return {
        view: {"rows": ROWS[view], "rebuilt": ROWS[view], "unchanged": False, "digest": _digest(chance),
               "features": {name: _feature(chance) for name in names}}
        for view, names in FEATURES.items()
    }


def _folds(chance: random.Random, sessions: list[str], metrics: tuple[str, ...], n: int) -> list[dict[str, Any]]:
    step = len(sessions) // n
    judged = [{"first_session": sessions[i * step], "last_session": sessions[(i + 1) * step - 1], "cached": i < n - 2,
               "train_rows": 5_020 + 1_260 * i, "seconds": chance.uniform(0.4, 3.0), "final": False,
               "metrics": {name: chance.uniform(0.03, 0.09) for name in metrics}} for i in range(n)]
    return [*judged, {**judged[-1], "final": True, "cached": False, "metrics": {}}]


def _training(chance: random.Random, sessions: list[str]) -> dict[str, Any]:
    states = tuple(f"share_{state}" for state, _ in REGIMES)
    return {
        "families": {
            "gbm": {"folds": _folds(chance, sessions, ("rank_ic", "rank_ic_t"), 8),
                    "importances": {name: chance.expovariate(0.01) for name in FEATURES["equity_v1"]},
                    "chosen_params": {"learning_rate": 0.0527, "num_leaves": 15, "min_data_in_leaf": 120}},
            "gnn": {"folds": _folds(chance, sessions, ("rank_ic",), 4), "chosen_params": {"heads": 2, "hidden": 8}},
            "hmm": {"folds": _folds(chance, sessions, states, 4), "chosen_params": {"window": 60}},
        },
        "trials": 10, "mlflow_experiment": "nightdesk",
    }


def _drift(chance: random.Random) -> dict[str, Any]:
    calm = {"unusual_level": 0.16, "outside_training_range": 0.004, "missing_share": 0.0, "alarm": False}
    told = {name: {"psi": round(chance.expovariate(25), 4), **calm} for names in FEATURES.values() for name in names}
    told["iv30"] |= {"psi": 0.312, "outside_training_range": 0.31, "alarm": True}
    return {"features": told, "evidently_html": "drift/4be1970ac2d3.html", "alarms": ["iv30"], "current_sessions": 63,
            "reference_sessions": 642}


def _decay(chance: random.Random, sessions: list[str]) -> dict[str, Any]:
    """Some weeks after a promotion: watched, and well."""
    since = sessions[-30:]
    return {"watched": True, "alarm": False, "first_alarm": None, "strategy": "ensemble-g30-h5", "record_seq": 1,
            "sessions": since, "statistic": [round(abs(chance.gauss(0, 2)), 3) for _ in since], "level": 13.2,
            "healthy_sharpe": 4.2, "broken_sharpe": 0.0, "false_alarm_sessions": 504, "median_sessions_to_detect": 55,
            "folklore_false_alarms_a_look": 0.159,
            "folklore": {"judged": 4.6, "error": 0.8, "live": 3.1, "below": True},
            "plain": "ensemble-g30-h5 shows no decay in the 30 sessions since it was let through."}


def _ladder() -> dict[str, Any]:
    """Some weeks on paper: lived as judged, and too few new sessions to tell skill from luck."""
    checks = (
        ("sessions_lived", 22.0, 20.0, True, "22 sessions of the journal lived on this rung; 20 are asked for."),
        ("decision_parity", 1.0, 1.0, True, "Of the 21 sessions that were compared with judgement 100% repeat its "
         "features, scores and every cent."),
        ("fresh_evidence", 3.1, 20.0, False, "First written down on 2025-05-30; the 21 sessions since are 3.1 times as "
         "likely with the skill it was let through for as without any; 20 is asked for."),
    )
    rungs = (("candidate", "Can it be made again?", "skill"), ("shadow", "Does live equal what was judged?", "skill"))
    return {"rung": "shadow", "preset": "default", "strategy": "ensemble-g30-h5", "waiting": None, "acted": None,
            "rungs": [{"rung": name, "question": asks, "cannot_say": blind} for name, asks, blind in rungs],
            "next": {"rung": "canary", "passed": False, "capital_share": 0.1, "registered": "2025-05-30T06:00:00+00:00",
                     "sessions": [], "checks": [dict(zip(("name", "value", "threshold", "passed", "plain"), one,
                                                         strict=True)) for one in checks]}}


def _checks() -> list[dict[str, Any]]:
    told = (
        ("deflated_sharpe", 0.978, 0.95, "An active Sharpe of 5.32 over 504 sessions, when the best of 10 worthless "
         "trials would be expected to show 1.11: deflated Sharpe 0.978, above the bar of 0.95."),
        ("loss_probability", 0.0, 0.2, "The best candidate of one half of the time loses money in the other half in 0% "
         "of 12,870 splits; at most 20% allowed."),
        ("spa_buy_and_hold", 0.0004, 0.05, "That the search does no better than holding the universe has probability "
         "0.000 (SPA), below 0.05."),
        ("cost_stress", 0.412, 0.0, "At 2 times the costs it still earns 41.2% a year of active return."),
        ("leak", 1.0, 1.0, "No feature, score or decision changes when later-known rows are taken away."),
        ("parity", 1.0, 1.0, "The bundle's own scorers repeat the judged scores and weights bit for bit."),
        ("structure", 1.0, 1.0, "The fitted files have the structure that they claim."),
        ("feature_range", 0.0, 0.0, "Every feature is present and within the range seen in training."),
    )
    return [{"name": name, "value": value, "threshold": bar, "passed": True, "plain": plain}
            for name, value, bar, plain in told]


def _twin() -> dict[str, Any]:
    parts = {"data revised": 120.25, "feature": 0.0, "score": 0.0, "timing": -14.5, "fill price": -310.75, "cost": -8.0,
             "limit": 0.0, "manual": 0.0}
    newest = {"session": "2025-06-30", "judged": 41_812.5, "live": 41_599.5, "difference": -213.0, "parts": parts,
              "unexplained": 0.0, "named": {"fill price": ["BBG0SBX00003: 101.02 for a print of 101"]},
              "costs": 6_120.0, "net_exposure_usd": 412_000.0, "bundle_seq": 7, "market_return": 0.0042}
    return {"sessions": [{**newest, "session": "2025-06-27", "difference": 0.0, "parts": dict.fromkeys(parts, 0.0)},
                         newest],
            "plain": "Session 2025-06-30: live made +41,599.50 USD where judgement says +41,812.50; the largest cause "
                     "is fill price (-310.75)."}


def _live() -> dict[str, Any]:
    equity, told = 10_000_000.0, []
    for n, (day, pnl) in enumerate([("2025-07-01", 21_733.4), ("2025-07-02", -6_120.9), ("2025-07-03", 12_904.0)]):
        told.append({"session": day, "orders": 18 - n, "fills": 18 - n, "pnl": pnl, "costs": 900.0 + 41 * n,
                     "start_equity": equity, "end_equity": equity + pnl})
        equity += pnl
    return {"sessions": told, "flat_reason": None, "notes": []}


def _ingest() -> dict[str, Any]:
    base = [day.isoformat() for day in calendars.sessions(dt.date(2022, 6, 27), dt.date(2025, 6, 30))]
    vendors = {"polygon": (806, 23_361, 5), "cboe": (30, 18_240, 2), "cme": (10, 41_882, 0)}
    return {
        "now": "2025-07-01T06:00:00+00:00", "last_session": LAST, "batch": 1, "unchanged": False, "first_load": True,
        "vendors": {name: {"requests": asked, "new_bodies": asked, "rows": rows, "rejects": rejects}
                    for name, (asked, rows, rejects) in vendors.items()},
        "changed_sessions": {"polygon": base, "cboe": base[-30:], "cme": base[-10:]},
        "quarantined": {"bad_price": 3, "bad_range": 2, "unknown_instrument": 2},
    }


def _verdict(key: str) -> dict[str, Any]:
    return {
        "act": "promote", "attempted": "promote", "promoted": True, "strategy": "ensemble-g30-h5", "key": key,
        "checks": _checks(), "reasons": [check["plain"] for check in _checks()], "trials_n": 8, "record_seq": 1,
        "figures": {"trials_n": 10.0, "pbo": 0.02, "psr": 1.0, "luck_sharpe": 1.11, "min_track_record_sessions": 41.0},
        "smallest_visible_sharpe": {"50": 2.6, "90": 3.5}, "signal": "strong", "oracle_sharpe": 6.48,
    }


def _bundle(digest: str) -> dict[str, Any]:
    return {
        "published": True, "seq": 1, "digest": digest, "path": f"bundles/000001-{digest[:12]}", "rung": "shadow",
        "created": "2025-07-01T06:00:00+00:00", "expires": "2025-07-08T20:00:00+00:00",
        "files": {"manifest.json": 4_211, "manifest.sig": 64, "strategy.json": 1_208, "gbm.txt": 56_733,
                  "hmm.json": 1_930, "gnn.safetensors": 4_068, "snapshot.safetensors": 255_339},
    }


def price_tag(key: str) -> dict[str, Any]:
    """Costs left out flatter it a good deal, a label inside the test a little."""
    def tag(bias: str, added: float) -> dict[str, Any]:
        return {"bias": bias, "plain": bias, "honest": 5.42, "biased": 5.42 + added, "added": added,
                "low": added - 0.1, "high": added + 0.1, "sessions": 504}

    return {"strategy": STRATEGIES[0][0], "key": key, "first": "2023-06-27", "last": LAST, "sessions": 504, "names": 21,
            "names_gone": 1, "tags": [tag("zero_cost", 1.07), tag("survivors_only", 0.02)], "others": [],
            "buy_and_hold": {"added": 0.31},
            "refitted": {"night": "2025-07-01", "tags": [tag("unpurged", 0.03), tag("hindsight", 0.0)]}}


def _baselines(chance: random.Random, sessions: list[str]) -> dict[str, Any]:
    """Rules that earned little, and a graph that one rotation comes close to."""
    def rule(name: str, sharpe: float) -> dict[str, Any]:
        told = _strategy(chance, name, "diagnostic", sharpe, sessions)
        return {**told, "meaning": f"what {name} does", "invested": 0.6, "sessions_silent": 12}

    def beyond(against: str, low: float) -> dict[str, Any]:
        return {"against": against, "above": low > 0.0, "sessions": 504, "resamples": 1000, "block_sessions": 10,
                "annual_return": {"value": 0.08, "low": low, "high": 0.2},
                "sharpe": {"value": 1.0, "low": 10.0 * low, "high": 2.1}}

    names = ("vam", "reversion", "breakout", "rule-ensemble", "voting", "rotation", "graph-alone")
    return {"sessions": sessions, "benchmark": _curve(chance, 0.9, 0.15, 504), "left_out": [],
            "regimes": {"session": "2025-07-01", "market": {"NORMAL": 9, "MEAN_REVERTING": 12},
                        "price": {"NEUTRAL": 14, "STRONG_UPTREND": 7}},
            "strategies": [rule(name, 0.3 * at - 0.8) for at, name in enumerate(names)],
            "graph": [beyond("rotation", 0.03), beyond("rotation-catch-up", -0.02)]}


def story_sections() -> dict[str, dict[str, Any]]:
    """The first night of a small sandbox: everything ran, one strategy was promoted and replayed."""
    chance, sessions = random.Random(11), _sessions()
    strategies = [_strategy(chance, *one, sessions) for one in STRATEGIES]
    marts = {name: {"rows": rows, "digest": _digest(chance)} for name, rows in MARTS.items()}
    moments = ["2024-03-11T13:00:00+00:00", "2025-01-15T14:00:00+00:00"]
    return {
        "ingest": _ingest(),
        "warehouse": {"generation": "4be1970ac2d3f00d", "unchanged": False, "seconds": 9.4, "marts": marts},
        "completeness": {"gaps": 0, "missing": {}, "newest": []},
        "features": {"families": _features(chance)},
        "leak": {"passed": True, "decision_times": moments, "compared_values": 294_118, "findings": [],
                 "parity_passed": True, "parity_broken": [], "seconds": 21.7},
        "training": _training(chance, sessions),
        "model_leak": {"passed": True, "family": "gbm", "fold": 3, "session": "2024-08-12", "findings": []},
        "judged": {"sessions": sessions, "benchmark": _curve(chance, 0.9, 0.15, 504), "strategies": strategies},
        "drift": _drift(chance),
        "decay": _decay(chance, sessions),
        "baselines": _baselines(random.Random(17), sessions),
        "ladder": _ladder(),
        "verdict": _verdict(strategies[0]["key"]),
        "bundle": _bundle(_digest(chance)),
        "live": _live(),
        "twin": _twin(),
        "price_tag": price_tag(strategies[0]["key"]),
        "tear_sheets": {"sheets": [{"name": STRATEGIES[0][0], "role": "Champion", "chosen": True,
                                    "path": f"2025-07-01/tear-sheets/{STRATEGIES[0][0]}.html"}],
                        "files": {"judged-returns": 4536, "judged-trades": 78_000, "judged-positions": 78_000}},
    }
