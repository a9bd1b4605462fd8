"""A market with many incidents holds every kind of day, company, print and instrument, and moves like a market."""

import datetime as dt
import itertools
import json
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import pytest

from pipelines import calendars, sandbox, settings
from pipelines.sandbox import cboe_wire, cme_wire, futures, market, options, polygon_aggs
from pipelines.sandbox.databento_wire import session_trades
from pipelines.vendors.cboe_daily import history
from pipelines.vendors.cme_details import details
from tests import OWN

SIZES = {
    "names": 32, "sessions": 600, "nights": 6, "minute_sessions": 3, "tick_sessions": 14, "chain_sessions": 60,
    "roots": "ES,NQ", "incidents": "many",
}  # fmt: skip


@pytest.fixture(scope="module")
def whole() -> market.Market:
    return sandbox.generate(settings.load({"seed": 3, "sandbox": SIZES}, environment=OWN))


def day(whole: market.Market, number: int, night: int = 0) -> dict[str, dict[str, float]]:
    """A published day by ticker, as shown on that night."""
    body = json.loads(polygon_aggs.grouped(whole, whole.sessions[number], whole.night_now(night)))
    return {row["T"]: row for row in body["results"]}


def minutes(whole: market.Market, number: int, company: int, night: int = 0) -> dict[int, dict[str, float]]:
    """A company's published bars by minute after the opening."""
    session, ticker = whole.sessions[number], whole.cast[company].ticker_on(number)
    body = polygon_aggs.minute_range(whole, ticker, session, session, whole.night_now(night))
    begun = calendars.open_at(session).timestamp()
    return {round((row["t"] / 1000 - begun) / 60): row for row in json.loads(body)["results"]}


def test_companies_die_change_their_names_and_leave_their_tickers_to_others(whole: market.Market) -> None:
    dead = {company.tickers[-1][1]: company for company in whole.cast if company.last is not None}
    renamed = [company for company in whole.cast if len(company.tickers) > 1]
    late = [company for company in whole.cast if company.first > 0]
    heirs = [company for company in late if company.tickers[0][1] in dead]
    assert (len(dead), len(renamed), len(late), len(heirs)) == (2, 2, 2, 1)
    assert all(company.first > dead[company.tickers[0][1]].last + 20 for company in heirs)
    assert len({company.last for company in dead.values()}) == 2
    for number in range(len(whole.sessions)):
        held = [company.ticker_on(number) for company in whole.cast if company.trades_on(number)]
        assert len(held) == len(set(held))


def test_shares_split_both_ways_are_spun_off_and_pay(whole: market.Market) -> None:
    ratios = {split.split_to / split.split_from for split in whole.splits}
    assert {1.281, 3.0, 0.1} <= ratios and len(whole.dividends) > 60
    for split in whole.splits:
        if split.ex <= whole.base:
            prices = whole.bars.close[split.ex - 1 : split.ex + 1, split.company]
            assert abs(np.log(prices[1] / prices[0] * split.split_to / split.split_from)) < 0.2


def test_the_odd_days_of_the_clock_have_minutes(whole: market.Market) -> None:
    early = {dt.date(2024, 7, 3), dt.date(2024, 11, 29), dt.date(2024, 12, 24), dt.date(2025, 7, 3)}
    clocks = {dt.date(2024, 11, 1), dt.date(2024, 11, 4), dt.date(2025, 3, 7), dt.date(2025, 3, 10)}
    for session in early | clocks:
        number = whole.index_of[session]
        assert whole.minutes[number].traded.shape[1] == (210 if session in early else 390)
        begins, ends = futures.bounds(whole, number)
        chicago = ZoneInfo("America/Chicago")
        assert begins.astimezone(chicago).hour == 17
        assert ends.astimezone(chicago).hour == (12 if session in early else 16)
        assert polygon_aggs.milliseconds(calendars.open_at(session)) / 3.6e6 % 24 == (
            14.5 if dt.date(2024, 11, 3) < session < dt.date(2025, 3, 9) else 13.5)  # fmt: skip


def test_trading_halts_for_a_while_or_for_a_day(whole: market.Market) -> None:
    for halt in whole.incidents.halts:
        traded = minutes(whole, halt.session, halt.company, night=6)
        assert not set(range(halt.begins, halt.begins + halt.minutes)) & set(traded)
        assert {0, max(traded)} <= set(traded) and halt.minutes >= 10
        number, ticker = halt.session, whole.cast[halt.company].ticker_on(halt.session)
        assert day(whole, number, night=6)[ticker]["v"] == sum(row["v"] for row in traded.values())
    assert {halt.session for halt in whole.incidents.halts} >= {whole.base}
    assert len(whole.incidents.silent) == 2
    for number, company in whole.incidents.silent:
        ticker = whole.cast[company].ticker_on(number)
        told = [ticker in day(whole, of) for of in (number - 1, number, number + 1)]
        assert told == [True, False, True]


def test_bad_prints_stand_or_are_taken_back_and_an_old_day_is_corrected(whole: market.Market) -> None:
    *standing, withdrawn = whole.incidents.bad_prints
    assert standing and withdrawn.withdrawn_at is not None
    for one in standing:
        row = day(whole, one.session)[whole.cast[one.company].ticker_on(one.session)]
        assert row["l"] == round(row["o"] * 0.1, 2)
    ticker = whole.cast[withdrawn.company].ticker_on(withdrawn.session)
    first, later = (day(whole, withdrawn.session, night)[ticker] for night in (4, 5))
    assert first["l"] == min(row["l"] for row in minutes(whole, withdrawn.session, withdrawn.company, 4).values())
    assert first["l"] < 0.2 * later["l"] and {**first, "l": 0} == {**later, "l": 0}
    fix = whole.correction
    assert fix is not None
    ticker = whole.cast[fix.company].ticker_on(fix.session)
    assert day(whole, fix.session, 4)[ticker]["c"] > day(whole, fix.session, 5)[ticker]["c"] * 1.01


@pytest.mark.parametrize("root", ["ES", "NQ"])
def test_contracts_roll_overlap_and_linger_until_they_expire(whole: market.Market, root: str) -> None:
    shares, off = {}, 0
    for number in futures.tick_sessions(whole):
        trades = session_trades(whole, number, root)
        assert set(trades["side"]) == {b"A", b"B", b"N"}
        names = {one.instrument_id: one.symbol for one in futures.contracts_on(whole.sessions[number], root)}
        ids, counts = np.unique(trades["instrument_id"], return_counts=True)
        told = zip(ids.tolist(), counts.tolist(), strict=True)
        shares[whole.sessions[number]] = {names[one][2:]: count for one, count in told}
        front = trades["price"][trades["instrument_id"] == ids[np.argmax(counts)]]
        off += int((np.abs(np.diff(front.astype(float)) / front[:-1]) > 0.025).sum() > 0)
    assert set(shares[dt.date(2025, 6, 11)]) == {"M5", "U5"} and set(shares[dt.date(2025, 6, 23)]) == {"U5", "Z5"}
    fading = [shares[dt.date(2025, 6, of)]["M5"] for of in (11, 12, 13, 16, 20)]
    assert fading == sorted(fading, reverse=True) and fading[-1] > 0  # until its last day, the third Friday
    assert 3 < off < len(shares)


def test_open_interest_is_known_the_morning_after(whole: market.Market) -> None:
    chains = [options.make_chain(whole, number) for number in range(whole.base - 5, whole.base + 1)]
    for before, after in itertools.pairwise(chains):
        strikes = {contract[-8:] for contract in before.contract}
        new = np.array([contract[-8:] not in strikes for contract in after.contract])
        held = after.columns["open_interest"]
        assert (held[new] == 0).all() and (held[~new] > 0).mean() > 0.8
        assert not new.any() or after.columns["volume"][new].sum() > 0
    assert len({chain.contract[0][-8:] for chain in chains}) > 1  # the ladder moved
    assert after.expired.any() and f"SPXW{before.session:%y%m%d}" in {contract[:-9] for contract in after.contract}
    last = whole.sessions[whole.base]
    for now, kinds in ((whole.night_now(0), "P"), (whole.night_now(0) + dt.timedelta(hours=10), "PF")):
        for kind in "PF":
            body = cme_wire.details_body(whole, last, "NQ", kind, now)
            table, rejects = details(body, f"cme/volume_details/146_{last:%Y%m%d}_{kind}.json")
            assert not rejects and table["symbol"].to_pylist() == (["NQU5", "NQZ5"] if kind in kinds else [])
            assert all((value is None) == (kind == "P") for value in table["open_interest"].to_pylist())


def test_volatility_clusters_tails_are_fat_and_sectors_move_together(whole: market.Market) -> None:
    moves = np.diff(np.log(whole.days.index_close))
    size = np.abs(moves)
    assert np.mean([np.corrcoef(size[lag:], size[:-lag])[0, 1] for lag in (1, 2, 3, 5, 10)]) > 0.07
    assert ((moves - moves.mean()) ** 4).mean() / moves.var() ** 2 > 4.5
    turns = whole.noise.own_scale[1:] / whole.noise.own_scale[:-1]
    assert (turns > 1.2).sum() >= 2 <= (turns < 0.83).sum()  # into the restless regime, and out of it again
    own = whole.noise.moves.sum(axis=1)
    own = own - own.mean(axis=1, keepdims=True)
    sector = np.array([company.sector for company in whole.cast])
    together = np.corrcoef(own.T)
    same = (sector[:, None] == sector) & ~np.eye(len(sector), dtype=bool)
    assert together[same].mean() > 0.15 > 0.0 > together[sector[:, None] != sector].mean()


def test_the_day_is_busy_at_both_ends(whole: market.Market) -> None:
    volume = whole.minutes[whole.base].volume.sum(axis=0)
    assert volume[:30].mean() > 1.6 * volume[150:240].mean() < volume[-30:].mean()


def test_the_surface_is_skewed_and_the_vix_is_its_own(whole: market.Market) -> None:
    levels = []
    for number in list(options.chain_sessions(whole))[::6]:
        chain = options.make_chain(whole, number)
        strike = np.array([int(contract[-8:]) / 1000 for contract in chain.contract])
        monthly = np.array([contract[:-15] == "SPX" for contract in chain.contract]) & (chain.columns["iv"] > 0)
        below, above = (chain.columns["iv"][monthly & side] for side in (strike < chain.spot, strike > chain.spot))
        assert below.min() > above.max()
        levels.append((options.vix(whole, number), 100 * chain.iv30))
    index, at_money = np.array(levels).T
    assert ((index / at_money > 1) & (index / at_money < 1.08)).all() and np.corrcoef(index, at_money)[0, 1] > 0.99
    body = cboe_wire.history_body(whole, "VIX", whole.night_now(0))
    assert body is not None
    table, rejects = history(body, "cboe/indices/VIX_History.csv")
    assert not rejects and table.num_rows == whole.base + 1
    assert table["close"][-1].as_py() == pytest.approx(options.vix(whole, whole.base), abs=0.006)


def test_dealers_who_are_long_gamma_calm_the_tape(whole: market.Market) -> None:
    """Steps between trades of the front contract, beside what dealers have to hedge."""
    gamma, restless = [], []
    for number in futures.tick_sessions(whole):
        trades = session_trades(whole, number, "ES")
        front = trades["price"][trades["instrument_id"] == np.bincount(trades["instrument_id"]).argmax()]
        steps = np.diff(np.log(front.astype(float)))
        gamma.append(options.dealers_gamma(whole, number))
        restless.append(np.quantile(np.abs(steps), 0.75))
    assert max(gamma) > 0.2 and min(gamma) < -0.05
    assert np.corrcoef(gamma, restless)[0, 1] < -0.5


def test_the_vendors_serve_what_the_plan_asks_for(whole: market.Market) -> None:
    from pipelines.lake.sources import sandbox_plan

    now = whole.night_now(0)
    plan = sandbox_plan(whole.settings, whole, now)
    assert plan.roots == ("ES", "NQ") and plan.more.details == plan.roots and "VIX" in plan.more.cboe_indices
    assert plan.minutes == tuple(whole.sessions[number] for number in whole.minutes if number <= whole.base)
    with sandbox.serve(whole, now) as served:
        at = served.cboe + "/api/global/us_indices/daily_prices/{}_History.csv"
        assert httpx.get(at.format("VIX")).text.startswith("DATE,OPEN")
        assert httpx.get(at.format("VVV")).status_code == 403
        assert "06/30/2025" in httpx.get(at.format("SPX")).text
        report = f"{served.databento}/CmeWS/mvc/Volume/Details/F/{{}}/20250630/P"
        assert httpx.get(report.format(146)).json()["monthData"][0]["month"] == "SEP 2025"
        assert httpx.get(report.format(425)).status_code == 404
        begins, ends = futures.bounds(whole, whole.base)
        form = {"symbols": "NQ.FUT", "start": begins.isoformat(), "end": ends.isoformat()}
        tape = httpx.post(f"{served.databento}/v0/timeseries.get_range", data=form, auth=(served.key, ""))
        assert tape.status_code == 200 and len(tape.content) > 10_000
        refused = httpx.post(f"{served.databento}/v0/timeseries.get_range", data={**form, "symbols": "CL.FUT"},
                             auth=(served.key, ""))  # fmt: skip
        assert refused.status_code == 422 and "ES.FUT or NQ.FUT" in refused.text
