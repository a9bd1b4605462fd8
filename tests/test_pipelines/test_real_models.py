"""Four real tickers: too few for a cross-section, enough for regimes and rules, which are judged and told."""

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pytest

from models.backtest.figures import sharpe_annual
from pipelines.evidence.figures import judged_section
from pipelines.evidence.judged import JudgedNight
from pipelines.evidence.ledger import Ledger
from pipelines.training import decided, enough
from pipelines.training.inputs import Inputs
from pipelines.training.prices import prices_of
from pipelines.training.walk_rules import judge_rules, walk_rules
from tests import real_layout as real
from tests.conftest import nightdesk
from tests.test_pipelines.training_home import NOW, small_home, small_settings

FIRST, LAST = dt.date(2018, 6, 1), dt.date(2020, 12, 31)
SPLIT = np.datetime64("2020-08-31")  # AAPL, four for one


def narrow_market(samples: Path) -> tuple[Inputs, dict[str, np.ndarray]]:
    """The four tickers' own bars as a panel with the columns that regimes and rules read, and as a mart's rows."""
    from models.features.panel import FeaturePanel

    daily = {ticker: real.daily_rows(samples, ticker) for ticker in real.TICKERS}
    days = sorted(day for day in daily["SPY"] if FIRST <= day <= LAST and all(day in rows for rows in daily.values()))
    bars = np.array([[daily[ticker][day] for ticker in real.TICKERS] for day in days])  # (sessions, names, OHLCV)
    sessions = np.array(days, "datetime64[D]")
    split = np.where((sessions[:, None] >= SPLIT) & (np.array(real.TICKERS) == "AAPL"), 4.0, 1.0)
    close = bars[:, :, 3] * split
    move = np.vstack([np.full((1, 4), np.nan), close[1:] / close[:-1] - 1.0])
    columns = {"ret_1": move, "vam_20": _rolled(move, 20), "zscore_20": _score(close, 20)}
    market = {"mkt_ret_1": move.mean(axis=1), "mkt_vol_20": _rolled(np.abs(move).mean(axis=1)[:, None], 20)[:, 0],
              "mkt_volume_z": _score(bars[:, :, 4].sum(axis=1)[:, None], 20)[:, 0]}
    columns |= {name: np.repeat(values[:, None], 4, axis=1) for name, values in market.items()}
    values = np.stack(list(columns.values()), axis=2)
    values = np.vstack([np.full((1, 4, len(columns)), np.nan), values[:-1]])  # decided on the session before
    tradable = np.isfinite(values).all(axis=2)
    returns = np.full(close.shape, np.nan)
    opens = bars[:, :, 0] * split
    returns[:-2] = (opens[1:] / opens[:-1] - 1.0)[:-1]
    panel = FeaturePanel(sessions, real.TICKERS, tuple(columns), values, tradable)
    told = {"session": np.repeat(sessions, 4), "instrument_id": np.tile(real.TICKERS, len(days)),
            "open": bars[:, :, 0].ravel(), "close": bars[:, :, 3].ravel(), "volume": bars[:, :, 4].ravel(),
            "split_factor": split.ravel(), "total_return_factor": split.ravel()}
    return Inputs(panel, returns), told


def _rolled(values: np.ndarray, width: int) -> np.ndarray:
    out = np.full(values.shape, np.nan)
    for row in range(width, len(values)):
        out[row] = values[row - width + 1 : row + 1].mean(axis=0)
    return out


def _score(values: np.ndarray, width: int) -> np.ndarray:
    out = np.full(values.shape, np.nan)
    for row in range(width, len(values)):
        window = values[row - width + 1 : row + 1]
        out[row] = (values[row] - window.mean(axis=0)) / window.std(axis=0)
    return out


def test_four_names_are_skipped_by_families_that_need_ten_and_said_so(samples: Path) -> None:
    inputs, _ = narrow_market(samples)
    settings = small_settings(first_train_sessions=252).model_copy(update={"source": "files:somewhere"})
    assert enough.untrainable(settings, inputs) is None
    assert enough.narrow(settings, inputs) == enough.lacking(settings, inputs) == (
        "No strategy was learned: a typical session has 4 tradable names, and a cross-section needs "
        "training.min_names = 10 at least.")
    wide = settings.model_copy(update={"training": settings.training.model_copy(update={"min_names": 4})})
    assert enough.lacking(wide, inputs) is None


def test_regimes_and_rules_of_four_real_names_are_judged(samples: Path, tmp_path: Path) -> None:
    inputs, rows = narrow_market(samples)
    home, _ = small_home(tmp_path)
    settings = small_settings(first_train_sessions=252, step_sessions=63, slow_step_sessions=126)
    prices = prices_of(rows, inputs.panel)
    night, walked = judge_rules(home, settings, inputs, prices, NOW)
    assert [one["name"] for one in night.candidates] == ["momentum", "reversal"] and night.of_kind("candidate") == []
    assert set(walked.folds) == {"hmm"} and walked.regimes.shape == (len(night.sessions), 4)
    assert np.allclose(walked.regimes.sum(axis=1), 1.0)
    crash = (night.sessions >= np.datetime64("2020-03-02")) & (night.sessions <= np.datetime64("2020-04-30"))
    wild = [number for number, state in enumerate(walked.states) if state in ("Bear", "HighVol_Chop")]
    assert walked.regimes[crash][:, wild].sum(axis=1).mean() > 0.8  # March 2020 is known from before each open
    assert abs(float(night.benchmark[crash].min())) > 0.05
    at_split = int(np.searchsorted(night.sessions, SPLIT))
    assert abs(night.series["net"][at_split]).max() < 0.1  # a split is no loss
    section = judged_section(night, walked, 10)
    assert all(len(one["folds"]) == len(walked.folds["hmm"]) for one in section["strategies"])
    assert section["strategies"][0]["sharpe_net"] == pytest.approx(sharpe_annual(night.series["excess"][:, 0]))
    assert {row["config_key"] for row in Ledger(home.ledger).rows("outer")} == \
        {one["key"] for one in night.candidates}
    decided.of_walk(walked).save(home)
    assert np.array_equal(decided.load(home).regimes, walked.regimes)
    assert JudgedNight.load(home).digest() == night.digest()
    again = walk_rules(home, settings, inputs, Ledger(home.ledger), NOW)
    assert all(np.array_equal(again.weights[name], walked.weights[name]) for name in again.weights)


@pytest.mark.slow
def test_a_whole_night_on_four_real_tickers(samples: Path, tmp_path: Path) -> None:
    real.lay_bars(samples, tmp_path / "source", FIRST, LAST)
    real.lay_reference(samples, tmp_path / "source")
    home = tmp_path / "home"
    ran = nightdesk("nightly", "--source", f"files:{tmp_path / 'source'}", "--now", "2021-01-04T06:00:00+0000",
                    home=home)
    assert ran.returncode == 0, ran.stderr[-4000:]
    why = "No strategy was learned: a typical session has 4 tradable names"
    assert why in ran.stderr
    page = (home / "reports/2021-01-04/index.html").read_text()
    assert why in page and "Regimes were fitted and rules judged." in page and "could not be drawn" not in page
    sections = home / "work/sections"
    training = json.loads((sections / "training.json").read_text())["families"]
    assert training["gbm"]["skipped"].startswith(why) and training["gnn"]["skipped"].startswith(why)
    assert len(training["hmm"]["folds"]) == 5
    judged = json.loads((sections / "judged.json").read_text())
    assert [one["kind"] for one in judged["strategies"]] == ["baseline"] * 2 and len(judged["sessions"]) == 398
    sheets = json.loads((sections / "tear_sheets.json").read_text())["sheets"]
    assert {one["role"] for one in sheets} == {"Rule"} and all((home / "reports" / one["path"]).exists()
                                                               for one in sheets)
    assert not list((home / "bundles").glob("0*")) if (home / "bundles").exists() else True
