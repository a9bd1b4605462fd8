"""Option, futures and fear features of the real samples, against figures computed once more from the vendors' files."""

import datetime as dt
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pytest

from models.features.compute import compute_batch, compute_tail
from models.features.inputs import RAW, derive
from models.features.panel import BarPanel
from models.features.registry import families, view_look_back
from models.market.order_flow import order_flow_versions
from models.market.tape import session_tape_versions
from pipelines import settings
from pipelines.home import Home
from pipelines.lake import marts
from pipelines.lake.ingest import ingest
from pipelines.store import build, inputs, read
from tests import OWN
from tests import real_layout as real

NOW = dt.datetime(2026, 8, 1, 6, tzinfo=dt.UTC)
SPX = "cboe/quotedata_csv/spx_quotedata_2022-07-12_1155EDT.csv"
SIDES = ("Last Sale", "Net", "Bid", "Ask", "Volume", "IV", "Delta", "Gamma", "Open Interest")


@pytest.fixture(scope="module")
def con(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("source")
    real.write(folder, "cboe/quotedata/spx_quotedata_2022-07-12.csv", (samples / SPX).read_bytes())
    real.lay_indices(samples, folder)
    real.lay_trades(samples, folder)
    chosen = settings.load({"home": str(tmp_path_factory.mktemp("home")), "source": f"files:{folder}"}, environment=OWN)
    desk = Home(chosen.home).prepare()
    assert ingest(chosen, desk, NOW).quarantined == {}
    built = marts.build(desk, now=NOW, truncate_at=NOW)  # nothing is later; and no tests of the warehouse here
    with marts.connect(desk, marts_dir=built.path) as connection:
        yield connection


def rows(con: Any, view: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = read.newest(build.rows_of(con, families()[view]), NOW).to_pylist()
    return found


@pytest.fixture(scope="module")
def chain(samples: Path) -> pd.DataFrame:
    """The downloaded page as a person with a spreadsheet would read it: one row a contract."""
    lines = (samples / SPX).read_text().splitlines()[2:]
    page = pd.read_csv(io.StringIO("\n".join(lines)))
    expiry = pd.to_datetime(page["Expiration Date"], format="%a %b %d %Y")
    sides = []
    for right, suffix in (("C", ""), ("P", ".1")):
        side = pd.DataFrame({name: page[f"{name}{suffix}"] for name in SIDES})
        sides.append(side.assign(right=right, strike=page["Strike"], expiry=expiry))
    return pd.concat(sides, ignore_index=True)


@pytest.fixture(scope="module")
def prints(samples: Path) -> pd.DataFrame:
    import databento

    return databento.DBNStore.from_bytes((samples / real.ES / real.TRADES).read_bytes()).to_df().query(
        "symbol == 'ESU4'")


def test_positioning_is_what_the_downloaded_page_says(con: Any, chain: pd.DataFrame) -> None:
    (row,) = rows(con, "positioning_v1")
    (share,) = (one["share_0dte"] for one in rows(con, "options_v1"))
    volume = chain.groupby("right")["Volume"].sum()
    today = chain[chain["expiry"] == "2022-07-12"]
    assert round(share, 6) == 0.515467 == round(today["Volume"].sum() / chain["Volume"].sum(), 6)
    assert row["put_call_balance"] == pytest.approx((volume["P"] - volume["C"]) / volume.sum())
    interest = chain.groupby("right")["Open Interest"].sum()
    assert row["put_call_oi"] == pytest.approx(interest["P"] / interest["C"])
    assert row["put_call_crowd"] == -1.0  # 1.356 puts a call
    spot = 3856.28
    held = chain[chain["Gamma"] != 0.0]
    dollars = held["Gamma"] * held["Open Interest"] * 100 * spot**2 * 0.01
    by_side = dollars.groupby(held["right"]).sum()
    assert row["gamma_gross_bn"] == pytest.approx(by_side.sum() / 1e9)
    assert row["gamma_balance"] == pytest.approx((by_side["C"] - by_side["P"]) / by_side.sum())
    assert row["gamma_per_point_mn"] == pytest.approx((by_side["C"] - by_side["P"]) / (spot * 0.01) / 1e6)
    ending = (dollars * np.where(held["right"] == "C", 1, -1))[held["expiry"] == "2022-07-12"].sum()
    assert row["gamma_0dte_share"] == pytest.approx(ending / by_side.sum())
    flow = held["Gamma"] * held["Volume"] * 100 * spot**2 * 0.01 * np.where(held["right"] == "C", 1, -1)
    assert row["gamma_flow_bn"] == pytest.approx(flow.sum() / 1e9)
    assert row["dealer_side"] == -1.0
    pins = (held["Gamma"] * held["Open Interest"]).groupby(held["strike"]).sum().nlargest(3)
    told = [row[f"pin_{n}_distance"] for n in (1, 2, 3)]
    assert told == pytest.approx(list(pins.index / spot - 1))
    assert row["pin_share"] == pytest.approx(pins.iloc[0] / (held["Gamma"] * held["Open Interest"]).sum())


def test_the_surface_is_what_the_nearest_quotes_say(con: Any, chain: pd.DataFrame) -> None:
    """Tenors and skew once more, by numpy's own interpolation over the page."""
    (row,) = con.sql("select iv_9d, iv_30d, iv_93d, skew_25d from option_metrics").fetchall()
    spot, quoted = 3856.28, chain[chain["IV"] > 0]
    days = (quoted["expiry"] - pd.Timestamp("2022-07-12")).dt.days
    at_spot = {}
    for left, some in quoted[days > 0].groupby(days[days > 0]):
        by_strike = some.groupby("strike")["IV"].mean().sort_index()
        if by_strike.index[0] <= spot <= by_strike.index[-1]:
            at_spot[left] = np.interp(spot, by_strike.index, by_strike.to_numpy())
    total = {left: iv**2 * left for left, iv in at_spot.items()}
    for ours, tenor in zip(row[:3], (9, 30, 93), strict=True):
        assert ours == pytest.approx(np.sqrt(np.interp(tenor, list(total), list(total.values())) / tenor)), tenor
    nearest = min(days[(days >= 5) & (days <= 75)], key=lambda left: (abs(left - 30), left))
    some = quoted[days == nearest]
    puts, calls = (some[some["right"] == right].sort_values("Delta") for right in "PC")
    skew = np.interp(-0.25, puts["Delta"], puts["IV"]) - np.interp(0.25, calls["Delta"], calls["IV"])
    assert row[3] == pytest.approx(skew, rel=1e-6)


def test_what_the_page_does_not_tell_is_null(con: Any) -> None:
    (row,) = rows(con, "positioning_v1")
    alone = ("put_call_z_20", "zero_dte_change_5", "gamma_z_20", "iv_rank_20", "iv_rank_252", "iv_change_5",
             "iv_less_realised_20", "skew_change_5")  # fmt: skip
    assert {name: row[name] for name in alone} == dict.fromkeys(alone)  # one session has no past
    moods = rows(con, "sentiment_v1")
    untold = ("vix_term", "vix_term_short", "vvix", "total_put_call", "equity_put_call", "total_put_call_z_20")
    assert all(mood[name] is None for mood in moods for name in untold)  # nobody sent these files


def test_fear_ranks_as_in_plain_frames(con: Any, samples: Path) -> None:
    close = pd.read_csv(samples / "cboe/vix_daily_1990-2019.csv", index_col=0, parse_dates=True)["CLOSE"]
    found = pd.DataFrame(rows(con, "sentiment_v1")).set_index("session")
    found.index = pd.DatetimeIndex(found.index)
    known = found["vix"].dropna()
    assert (known == close.loc[known.index]).all() and len(known) == 7556
    level, told = known.loc["2008-11-20"], found.loc["2008-11-20"]
    assert (level, told["vix_regime"], told["vix_regime_adaptive"]) == (80.86, 3.0, 3.0)
    assert told["vix_rank_252"] == 1.0  # the highest close of its year
    assert found.loc["2017-11-03", "vix_rank_252"] == 0.0 and found.loc["2017-11-03", "vix_regime"] == 0.0
    spell = close.loc["2015-01-02":"2016-12-30"]  # type: ignore[misc]
    score = (spell - spell.rolling(20).mean()) / spell.rolling(20).std(ddof=0)
    ours = found.loc[spell.index, "vix_z_20"].to_numpy()[19:]
    assert ours == pytest.approx(score.to_numpy()[19:], rel=1e-9)


def test_the_auction_is_what_the_prints_say(con: Any, prints: pd.DataFrame) -> None:
    (row,) = rows(con, "auction_v1")
    by_price = prints.groupby("price")["size"].sum()
    poc, close = by_price[by_price == by_price.max()].index.max(), prints["price"].iloc[-1]
    vwap = (prints["price"] * prints["size"]).sum() / prints["size"].sum()
    spread = np.sqrt((prints["size"] * (prints["price"] - vwap) ** 2).sum() / prints["size"].sum())
    assert (poc, prints["size"].sum()) == (5529.0, 253)
    assert row["poc_gap"] == pytest.approx(close / poc - 1, abs=1e-12)
    assert row["vwap_gap"] == pytest.approx(close / vwap - 1, abs=1e-12)
    assert row["vwap_position"] == pytest.approx((close - vwap) / spread)
    assert row["vah_gap"] == pytest.approx(close / 5529.25 - 1, abs=1e-12)
    assert row["val_gap"] == pytest.approx(close / 5529.0 - 1, abs=1e-12)
    signed = prints["size"] * prints["side"].map({"B": 1, "A": -1, "N": 0})
    assert signed.sum() == 31
    path = signed.cumsum()
    place = (2 * path.iloc[-1] - path.max() - path.min()) / (path.max() - path.min())
    assert row["delta_place"] == pytest.approx(place)
    net = signed.groupby(prints["price"]).sum()
    taken = by_price[(by_price.index < vwap) & (net > 0)].sum()
    assert row["accumulation_share"] == pytest.approx(taken / 253)
    step = np.sign(prints["price"].diff().fillna(0.0))
    assert row["tick_balance"] == pytest.approx(step.sum() / step.abs().sum())
    # No print over 100 lots in these four minutes: their share is nothing, where they stood is unknown.
    assert prints["size"].max() <= 100 and row["institutional_share"] == 0.0 and row["institutional_gap"] is None
    assert row["large_balance"] is None and row["ppoc_gap"] is None and row["volume_ratio_20"] is None
    assert row["newyork_volume_share"] == 0.0 and row["newyork_move"] is None


def test_the_tape_is_the_prints_minute_by_minute(con: Any, prints: pd.DataFrame) -> None:
    found = rows(con, "tape_v1")
    signed = prints["size"] * prints["side"].map({"B": 1, "A": -1, "N": 0})
    by_minute = prints["ts_event"].dt.floor("min")
    delta, volume = signed.groupby(by_minute).sum(), prints["size"].groupby(by_minute).sum()
    turnover = (prints["price"] * prints["size"]).groupby(by_minute).sum()
    close = prints["price"].groupby(by_minute).last()
    assert [row["session"] for row in found] == [minute.to_pydatetime() for minute in delta.index]
    assert [row["delta_share_1m"] for row in found] == pytest.approx((delta / volume).tolist())
    assert [row["delta_share_session"] for row in found] == pytest.approx((delta.cumsum() / volume.cumsum()).tolist())
    vwap = turnover.cumsum() / volume.cumsum()
    assert [row["vwap_gap_session"] for row in found] == pytest.approx((close / vwap - 1).tolist(), abs=1e-12)
    assert found[0]["move_1m"] is None
    assert [row["move_1m"] for row in found[1:]] == pytest.approx(close.pct_change().iloc[1:].tolist(), abs=1e-12)
    # Nobody saw the quarter of an hour before these four minutes.
    assert all(row["vwap_gap_20m"] is None and row["mtf_confluence"] is None for row in found)
    assert found[0]["session_progress"] == pytest.approx((2 * 60 - 2 - 0) / 1380)  # 23:58 UTC is 18:58 in Chicago


def test_what_was_known_of_the_tape_stays_as_it_was(con: Any) -> None:
    """Prints learnt after a moment change nothing that was told by then, and the tail has the bits of the batch."""
    trades = con.sql("select * exclude (event_time) from futures_trades_versions").to_arrow_table()
    for told, moments in ((order_flow_versions, pc.unique(trades["available_at"]).to_pylist()[::25]),
                          (session_tape_versions, [NOW])):  # fmt: skip
        whole = told(trades)
        for at in moments:
            part = told(trades.filter(pc.less_equal(trades["available_at"], at)))
            assert part.filter(pc.less_equal(part["available_at"], at)).equals(
                whole.filter(pc.less_equal(whole["available_at"], at)))
    for view in ("positioning_v1", "sentiment_v1", "auction_v1", "tape_v1"):
        declared = families()[view]
        panel = read.panel_of(inputs.read(con, declared[0].cells), NOW, derive)
        tail = compute_tail(panel.tail(view_look_back(declared)), declared)
        last = [row for row in rows(con, view) if np.datetime64(row["session"].replace(tzinfo=None) if isinstance(
            row["session"], dt.datetime) else row["session"]) == panel.sessions[-1]]  # fmt: skip
        for row in last:
            for feature in declared:
                value = tail[feature.name][panel.names.index(row[next(iter(row))])]
                assert value == row[feature.name] or (np.isnan(value) and row[feature.name] is None), feature.name


def test_a_month_of_real_minutes_rolls_as_in_frames_and_its_tail_is_its_batch(samples: Path) -> None:
    """Euro futures: bars without sides, so price and volume only. Quiet minutes stay on the axis."""
    bars = pd.read_csv(samples / "cme/bars/6EH4_1min_2024-01.csv.gz", index_col=0, parse_dates=True).iloc[:4_000]
    frame = bars.reindex(pd.date_range(bars.index[0], bars.index[-1], freq="min"))
    frame["turnover"] = frame["volume"] * (frame["high"] + frame["low"] + frame["close"]) / 3
    columns = {name: np.zeros(len(frame)) for name in RAW["tape"]}
    columns |= {name: frame[name].to_numpy() for name in ("high", "low", "close", "volume", "turnover")}
    panel = BarPanel(frame.index.to_numpy(), ("6EH4",), {name: column[:, None] for name, column in columns.items()})
    declared = families()["tape_v1"]
    ours = {name: column[:, 0] for name, column in compute_batch(panel, declared).items()}
    flows, close = frame[["volume", "turnover"]].fillna(0.0), frame["close"].ffill(limit=15)
    rolled = {span: flows.rolling(span).sum() for span in (20, 60)}
    for name, theirs in {
        "vwap_gap_20m": close / (rolled[20]["turnover"] / rolled[20]["volume"]) - 1,
        "vwap_gap_60m": close / (rolled[60]["turnover"] / rolled[60]["volume"]) - 1,
        "volume_surge_20m": frame["volume"] / (rolled[20]["volume"] / 20),
        "move_15m": close / close.shift(15) - 1,
    }.items():
        both = np.isfinite(ours[name]) & np.isfinite(theirs.to_numpy())
        assert both.sum() > 3_500 and ours[name][both] == pytest.approx(theirs.to_numpy()[both], rel=1e-7, abs=1e-9)
    for at in (500, 1_777, len(frame)):
        part = BarPanel(panel.sessions[:at], panel.names, {key: column[:at] for key, column in panel.columns.items()})
        tail = compute_tail(part.tail(view_look_back(declared)), declared)
        assert all(tail[one.name].tobytes() == ours[one.name][at - 1 : at].tobytes() for one in declared)
