"""Options, futures and the market's context under familiar names: they say what the marts say, as of any moment."""

import asyncio
import datetime as dt
import math
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, cast

import pytest

from models.features import VolumeProfileImbalanceDetector
from pipelines import lake, sandbox, settings
from pipelines.home import Home
from pipelines.lake import marts
from pipelines.lake.ingest import ingest
from tests import OWN

SIZES = {"small": True, "names": 4, "sessions": 330, "nights": 3, "chain_sessions": 4, "tick_sessions": 3,
         "minute_sessions": 1, "roots": "ES,NQ", "incidents": "many"}  # fmt: skip
SESSION, BEFORE = dt.date(2025, 6, 30), dt.date(2025, 6, 27)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    chosen = settings.load({"home": str(tmp_path_factory.mktemp("context")), "sandbox": SIZES}, environment=OWN)
    written = Home(chosen.home)
    now = sandbox.night_now(chosen, 0)
    ingest(chosen, written, now)
    marts.build(written, now=now)
    return written


def rows(home: Home, query: str, as_of: dt.datetime | None = None) -> list[dict[str, Any]]:
    with marts.connect(home, as_of=as_of) as connection:
        found: list[dict[str, Any]] = connection.sql(query).to_arrow_table().to_pylist()
    return found


async def waited(answer: Any) -> Any:
    return await cast("Awaitable[Any]", answer)


def test_a_day_of_options_says_what_its_mart_says(home: Home) -> None:
    cboe = lake.CBOEDataIngestion(home)
    data = cboe.fetch_daily_data(SESSION)
    (mart,) = rows(home, f"select * from option_metrics where underlying = 'SPX' and session = '{SESSION}'")
    told = cboe.calculate_0dte_metrics(data)
    assert {name: told[name] for name in mart if name in told and name not in ("event_time", "ingested_at")} == {
        name: value for name, value in mart.items() if name in told and name not in ("event_time", "ingested_at")
    }
    assert 0.0 < told["share_0dte"] < 1.0
    assert cboe.detect_pinning_levels(data) == mart["pin_strikes"] != []
    # Names that are known as coroutines can be awaited.
    assert asyncio.run(waited(cboe.detect_pinning_levels(data))) == mart["pin_strikes"]
    with pytest.raises(KeyError, match="nightdesk ingest"):
        cboe.fetch_daily_data("2001-01-02")


def test_options_of_the_index_are_the_mart_s(home: Home) -> None:
    told = lake.SPXOptionsAnalyzer(home).get_real_spx_data()
    (mart,) = rows(home, "select * from option_metrics where underlying = 'SPX' order by session desc limit 1")
    (vix,) = rows(home, f"""select close from index_levels where "index" = 'VIX' and session = '{mart["session"]}'""")
    assert told["session"] == mart["session"] and told["vix_level"] == vix["close"]
    for name in ("put_call_ratio", "gamma_exposure", "gamma_flip", "dealer_position"):
        assert told[name] == mart[name]
    assert math.isnan(told["vxn_level"])  # this market has no such index
    gamma = (mart["gamma_calls"] - mart["gamma_puts"]) / (mart["gamma_calls"] + mart["gamma_puts"])
    fear = min(max(1.0 - 2.0 * (mart["iv30"] - 0.15) / 0.15, -1.0), 1.0)
    ratio = min(max(1.0 - 2.0 * (mart["put_call_ratio"] - 0.8) / 0.4, -1.0), 1.0)
    side = {"long": 1.0, "short": -1.0, "neutral": 0.0}[mart["dealer_position"]]
    assert told["tech_sentiment"] == pytest.approx((12 * gamma + 8 * ratio + 3 * fear + 2 * side) / 25)
    assert asyncio.run(waited(lake.SPXOptionsAnalyzer(home).get_real_spx_data())) == pytest.approx(told, nan_ok=True)
    with pytest.raises(KeyError, match="no chain of SPX"):
        lake.SPXOptionsAnalyzer(home, dt.datetime(2001, 1, 2, tzinfo=dt.UTC)).get_real_spx_data()


def test_who_pressed_where_is_the_session_s_row(home: Home) -> None:
    profile = lake.FuturesVolumeIngestion(home).fetch_volume_profile("ES", SESSION)
    told = VolumeProfileImbalanceDetector().detect_imbalances(profile)
    query = f"select * from session_tape where symbol = '{profile['contract']}' and session = '{SESSION}'"
    (row,) = rows(home, query)
    for zones, volume in (("accumulation_zones", "accumulation_volume"), ("distribution_zones", "distribution_volume")):
        assert sum(zone["volume"] for zone in told[zones]) == row[volume] > 0.0
    assert (told["institutional_levels"] or [None])[0] == row["institutional_price"]


def test_the_exchange_s_own_statistics_agree_with_the_chain(home: Home) -> None:
    data = lake.CBOEDataIngestion(home).fetch_daily_data(BEFORE)
    (mart,) = rows(home, f"select * from option_metrics where underlying = 'SPX' and session = '{BEFORE}'")
    spx = data["statistics"]["SPX + SPXW"]
    assert (spx["call_volume"], spx["put_volume"]) == (mart["call_volume"], mart["put_volume"])
    assert spx["put_call_ratio"] == pytest.approx(mart["put_call_ratio"], abs=0.005)
    whole = data["statistics"]["SUM OF ALL PRODUCTS"]
    parts = ("INDEX OPTIONS", "EXCHANGE TRADED PRODUCTS", "EQUITY OPTIONS")
    assert whole["total_volume"] == sum(data["statistics"][one]["total_volume"] for one in parts)


def test_levels_of_a_future_are_its_mart_s_and_lie_off_by_the_basis_on_a_cfd(home: Home) -> None:
    futures = lake.FuturesVolumeIngestion(home)
    for root, cfd, index in (("ES", "SPX500_USD", "SPX"), ("NQ", "NAS100_USD", None)):
        levels = futures.calculate_value_areas(futures.fetch_volume_profile(root, SESSION))
        symbol = levels["contract"]
        query = f"select * from volume_profile where symbol = '{symbol}' and session = '{SESSION}'"
        (mart,) = rows(home, query)
        assert {name: levels[name] for name in ("poc", "vah", "val", "total_volume")} == {
            name: mart[name] for name in ("poc", "vah", "val", "total_volume")
        }
        assert futures.fetch_volume_profile(symbol, "2025-06-30")["volumes"]
        told = futures.map_to_cfd_instruments(levels)[cfd]
        if index is None:  # no level of that index was landed: nothing is made up
            assert told["basis"] is None and told["poc"] == levels["poc"]
            continue
        (level,) = rows(home, f"""select close from index_levels where "index" = '{index}' and session = '{SESSION}'""")
        (last,) = rows(home, f"select close from futures_bars where symbol = '{symbol}' and session = '{SESSION}' "
                             "and bar_start < '2025-06-30 20:00+00' order by bar_start desc limit 1")  # fmt: skip
        assert told["basis"] == pytest.approx(last["close"] - level["close"])
        assert told["vah"] == pytest.approx(levels["vah"] - told["basis"])
    with pytest.raises(KeyError, match="no trades of CL"):
        futures.fetch_volume_profile("CL", SESSION)
    with pytest.raises(KeyError, match="no CFD is known for ZZ"):
        futures.map_to_cfd_instruments({**levels, "root": "ZZ"})


def test_the_context_is_what_could_be_known_at_its_moment(home: Home) -> None:
    now = lake.MarketContext.of(home, dt.datetime(2025, 7, 1, 6, tzinfo=dt.UTC))
    morning = dt.datetime(2025, 6, 30, 13, tzinfo=dt.UTC)
    before = lake.MarketContext.of(home, morning)
    for context, session, moment in ((now, SESSION, None), (before, BEFORE, morning)):
        (options,) = rows(home, f"select * from option_metrics where session = '{session}'", moment)
        assert context.spx_0dte_volume == options["volume_0dte"] and context.dte_0_share == options["share_0dte"]
        assert context.total_spx_volume == options["call_volume"] + options["put_volume"]
        assert context.gamma_exposure == options["gamma_exposure"]
        fronts = rows(home, "select p.root, p.poc, p.vah, p.val from volume_profile p join roll_calendar r "
                            "on r.symbol = p.symbol and r.session = p.session and r.rule = 'volume' "
                            f"where p.session = '{session}' order by p.root", moment)  # fmt: skip
        assert fronts == [
            {"root": "ES", "poc": context.es_poc, "vah": context.es_vah, "val": context.es_val},
            {"root": "NQ", "poc": context.nq_poc, "vah": context.nq_vah, "val": context.nq_val},
        ]
        assert context.regime in {"PINNING", "TRENDING_UP", "TRENDING_DOWN", "MEAN_REVERTING", "HIGH_VOLATILITY",
                                  "LOW_VOLATILITY", "CRISIS", "NORMAL"}  # fmt: skip
        (vix,) = rows(home, """select close from index_levels where "index" = 'VIX' order by session desc limit 1""",
                      moment)
        bars = (("LOW", 0.0, 15.0), ("NORMAL", 15.0, 20.0), ("HIGH", 20.0, 30.0), ("EXTREME", 30.0, 999.0))
        assert context.volatility_regime == next(word for word, low, high in bars if low <= vix["close"] < high)
        assert -1.0 <= context.trend_strength <= 1.0 and math.isfinite(context.mean_reversion_signal)
    assert now.timestamp > before.timestamp


def test_what_nobody_told_is_missing_and_no_zero(home: Home) -> None:
    long_ago = lake.MarketContext.of(home, dt.datetime(2020, 1, 2, tzinfo=dt.UTC))
    assert math.isnan(long_ago.dte_0_share) and math.isnan(long_ago.es_poc) and math.isnan(long_ago.trend_strength)
    assert long_ago.regime is None and long_ago.volatility_regime is None


def test_a_mart_that_is_not_there_yet_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="nightdesk"):
        lake.MarketContext.of(tmp_path / "nowhere")
