"""The vendors on loopback, asked over HTTP as a client would: formats, keys, pages, and nothing before its time."""

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest

from pipelines import sandbox, settings
from pipelines.sandbox import futures, market, options
from tests import OWN

GROUPED = "/v2/aggs/grouped/locale/us/market/stocks/{}?adjusted=false"
CHAIN = "/api/global/delayed_quotes/options/_SPX.json"
SIZES = {"small": True, "names": 8, "sessions": 300, "nights": 6, "chain_sessions": 4, "tick_sessions": 3}


@pytest.fixture(scope="module")
def small() -> market.Market:
    return sandbox.generate(settings.load({"seed": 3, "sandbox": SIZES}, environment=OWN))


@pytest.fixture
def served(small: market.Market) -> Iterator[sandbox.Endpoints]:
    with sandbox.serve(small, small.night_now(0)) as endpoints:
        yield endpoints


@pytest.fixture
def polygon(served: sandbox.Endpoints) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.polygon, headers={"Authorization": f"Bearer {served.key}"}) as client:
        yield client


def rows(client: httpx.Client, path: str) -> list[dict[str, Any]]:
    """All pages, followed as the vendor says: path and query of next_url, never its host."""
    found: list[dict[str, Any]] = []
    following: str | None = path
    while following:
        body = client.get(following).raise_for_status().json()
        found += body.get("results", [])
        url = urlsplit(body.get("next_url", ""))
        following = f"{url.path}?{url.query}" if url.path else None
    return found


def trades(served: sandbox.Endpoints, start: dt.datetime, end: dt.datetime, key: str | None = None) -> httpx.Response:
    form = {
        "dataset": "GLBX.MDP3", "schema": "trades", "symbols": "ES.FUT", "stype_in": "parent",
        "start": start.isoformat(), "end": end.isoformat(), "encoding": "dbn", "compression": "zstd",
    }  # fmt: skip
    return httpx.post(f"{served.databento}/v0/timeseries.get_range", data=form, auth=(key or served.key, ""))


def test_without_the_key_there_is_nothing(small: market.Market, served: sandbox.Endpoints) -> None:
    path = served.polygon + GROUPED.format(small.sessions[5])
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        refused = httpx.get(path, headers=headers)
        assert refused.status_code == 401
        assert {**refused.json(), "request_id": ""} == {"status": "ERROR", "request_id": "", "error": "Unknown API Key"}
    assert httpx.get(f"{path}&apiKey={served.key}").status_code == 200
    refused = trades(served, *futures.bounds(small, small.base), key="db-other")
    assert refused.status_code == 401 and refused.json()["detail"]["case"] == "auth_authentication_failed"


def test_grouped_day_has_the_vendors_shape(small: market.Market, polygon: httpx.Client) -> None:
    body = polygon.get(GROUPED.format(small.sessions[small.base])).json()
    assert body["status"] == "OK" and body["adjusted"] is False and body["resultsCount"] == len(body["results"]) == 8
    assert set(body["results"][0]) == {"T", "v", "vw", "o", "c", "h", "l", "t", "n"}
    assert all(isinstance(row["v"], int) for row in body["results"])
    holiday = polygon.get(GROUPED.format("2025-06-19")).json()
    assert holiday["resultsCount"] == 0 and "results" not in holiday
    assert polygon.get(GROUPED.format("2025-13-45")).status_code == 400
    assert polygon.get("/v2/aggs/grouped/locale/us/market/stocks/2025-06-18").status_code == 400  # adjusted is not had


def test_an_unchanged_body_is_not_sent_again(small: market.Market, polygon: httpx.Client) -> None:
    path = GROUPED.format(small.sessions[10])
    first = polygon.get(path)
    again = polygon.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = polygon.get(GROUPED.format(small.sessions[11]), headers={"If-None-Match": first.headers["ETag"]})
    assert other.status_code == 200


def test_two_servers_send_the_same_bytes(
    small: market.Market, served: sandbox.Endpoints, polygon: httpx.Client
) -> None:
    other = sandbox.generate(settings.load({"seed": 3, "sandbox": SIZES}, environment=OWN))
    asked = [GROUPED.format(small.sessions[40]), "/v3/reference/tickers?limit=3", "/stocks/v1/dividends", CHAIN]
    with sandbox.serve(other, other.night_now(0)) as second, httpx.Client(headers=polygon.headers) as client:
        for path in asked:
            assert polygon.get(path).content == client.get(second.polygon + path).content
        begins, ends = futures.bounds(small, small.base)
        assert trades(served, begins, ends).content == trades(second, begins, ends).content


def test_lists_are_paged_and_whole(small: market.Market, polygon: httpx.Client) -> None:
    once = rows(polygon, "/stocks/v1/dividends?limit=1000")
    assert len(once) > 7 and rows(polygon, "/stocks/v1/dividends?limit=3") == once
    assert len(rows(polygon, "/v3/reference/tickers?active=true&limit=3")) == 8
    assert any(row["ex_dividend_date"] > "2025-07-01" for row in once)  # declared, not yet ex
    assert {row["adjustment_type"] for row in rows(polygon, "/stocks/v1/splits")} == {"forward_split", "reverse_split"}


def test_reference_tells_the_dead_from_the_heir(small: market.Market, polygon: httpx.Client) -> None:
    gone = rows(polygon, "/v3/reference/tickers?active=false")
    dead = small.cast[-1]
    assert [(row["composite_figi"], row["delisted_utc"][:10]) for row in gone] == [
        (dead.figi, str(small.sessions[dead.last or 0]))
    ]
    same = rows(polygon, f"/v3/reference/tickers?ticker={gone[0]['ticker']}")
    assert len(same) == 1 and same[0]["composite_figi"] != dead.figi and same[0]["cik"] != gone[0]["cik"]
    before = rows(polygon, f"/v3/reference/tickers?date={small.sessions[5]}&limit=1000")
    assert dead.figi in {row["composite_figi"] for row in before} and len(before) == 8  # the heir was not listed yet


def test_ticker_events_come_newest_first(small: market.Market, polygon: httpx.Client) -> None:
    company = small.cast[1]
    found = polygon.get(f"/vX/reference/tickers/{company.figi}/events?types=ticker_change").json()["results"]
    assert [event["ticker_change"]["ticker"] for event in found["events"]] == [t for _, t in company.tickers][::-1]
    assert found["events"][0]["date"] == str(small.sessions[company.tickers[1][0]])
    assert polygon.get("/vX/reference/tickers/NOBODY/events").status_code == 404


def test_nothing_is_shown_before_it_is_published(
    small: market.Market, served: sandbox.Endpoints, polygon: httpx.Client
) -> None:
    coming = small.sessions[small.base + 1]
    closed = small.closes_at[small.base + 1]
    ticker = small.cast[0].ticker_on(small.base + 1)
    minute_path = f"/v2/aggs/ticker/{ticker}/range/1/minute/{coming}/{coming}?adjusted=false"
    steps = {
        closed - dt.timedelta(hours=3): (False, False), closed + dt.timedelta(minutes=14): (False, False),
        closed + dt.timedelta(minutes=15): (True, False), closed + dt.timedelta(minutes=32): (True, True),
    }  # fmt: skip
    for now, (day, chain) in steps.items():
        served.now = now
        assert bool(polygon.get(GROUPED.format(coming)).json().get("results")) is day
        assert httpx.get(f"{served.cboe}{CHAIN}?session={coming}").status_code == (200 if chain else 403)
        stamp = dt.datetime.fromisoformat(httpx.get(served.cboe + CHAIN).json()["timestamp"]).replace(tzinfo=dt.UTC)
        assert stamp <= now
        bars = polygon.get(minute_path).json().get("results", [])
        assert bars and max(bar["t"] for bar in bars) / 1000 + 60 + 900 <= now.timestamp()
    begins, ends = futures.bounds(small, small.base + 1)
    served.now = ends
    late = trades(served, begins, ends)
    assert late.status_code == 422 and late.json()["detail"]["case"] == "data_end_after_available_end"


def test_a_feed_has_the_coming_session_and_no_more(small: market.Market) -> None:
    ticker = small.cast[0].ticker_on(small.base)
    with sandbox.serve(small, small.night_now(0), feed=True) as served:
        counts = [
            httpx.get(
                f"{served.polygon}/v2/aggs/ticker/{ticker}/range/1/minute/{day}/{day}",
                params={"adjusted": "false", "apiKey": served.key},
            ).json()["resultsCount"]
            for day in small.sessions[small.base : small.base + 3]
        ]
    assert counts[0] > 350 and counts[1] > 350 and counts[2] == 0


def test_the_late_split_and_the_corrected_bar_arrive_on_their_nights(
    small: market.Market, served: sandbox.Endpoints, polygon: httpx.Client
) -> None:
    split, fix = small.splits[-1], small.correction
    assert fix is not None and split.ex == small.base + 1
    seen = []
    for night in range(7):
        served.now = small.night_now(night)
        dates = {row["execution_date"] for row in rows(polygon, "/stocks/v1/splits")}
        body = polygon.get(GROUPED.format(small.sessions[fix.session])).json()
        closes = {row["T"]: row["c"] for row in body.get("results", [])}
        corrected = closes.get(small.cast[fix.company].ticker_on(fix.session))
        seen.append((str(small.sessions[split.ex]) in dates, corrected))
    right = float(small.bars.close[fix.session, fix.company])
    assert [late for late, _ in seen] == [False, False, False, True, True, True, True]
    assert [close for _, close in seen] == [None, None, *[round(right * fix.factor, 2)] * 3, right, right]


def test_chain_has_the_vendors_shape(small: market.Market, served: sandbox.Endpoints) -> None:
    body = httpx.get(served.cboe + CHAIN).json()
    assert body["timestamp"] == "2025-06-30 20:32:00" and body["data"]["last_trade_time"] == "2025-06-30T15:59:59"
    assert body["symbol"] == "_SPX" and body["data"]["symbol"] == "^SPX"
    contracts = body["data"]["options"]
    assert len(contracts) == 4 * options.STRIKES * 2 + 4 and len(contracts[0]) == 23
    assert {contract["option"][:-15] for contract in contracts} == {"SPX", "SPXW"}
    assert all(isinstance(contract["open_interest"], float) for contract in contracts)
    assert any(contract["last_trade_time"] is None for contract in contracts)
    older = httpx.get(f"{served.cboe}{CHAIN}?session={small.sessions[small.base - 2]}").json()
    assert older["timestamp"] < body["timestamp"]
    assert httpx.get(f"{served.cboe}{CHAIN}?session={small.sessions[5]}").status_code == 403


def test_the_official_client_reads_the_trades(small: market.Market, served: sandbox.Endpoints) -> None:
    databento = pytest.importorskip("databento")
    begins, ends = futures.bounds(small, small.base)
    answer = trades(served, begins, ends)
    frame = databento.DBNStore.from_bytes(answer.content).to_df()
    assert len(frame) == 4000 and frame["symbol"].value_counts().to_dict() == {"ESU5": 3900, "ESZ5": 100}
    assert set(frame["side"]) == {"A", "B", "N"} and (frame["action"] == "T").all()
    assert frame.index.is_monotonic_increasing and frame["sequence"].is_monotonic_increasing
    assert frame["ts_event"].min() >= begins and frame["ts_event"].max() < ends
    np.testing.assert_array_equal(frame["price"] % 0.25, 0.0)
    front = frame[frame["symbol"] == "ESU5"]
    index = small.days.index_close[small.base]
    assert abs(front["price"].iloc[-1] / (index * 1.004) - 1) < 0.002


def test_market_status_follows_the_clock(served: sandbox.Endpoints, polygon: httpx.Client) -> None:
    said = {}
    for hour in (7, 12, 15, 21, 26):
        served.now = dt.datetime(2025, 7, 1, tzinfo=dt.UTC) + dt.timedelta(hours=hour)
        said[hour] = json.loads(polygon.get("/v1/marketstatus/now").content)["market"]
    assert said == {7: "closed", 12: "extended-hours", 15: "open", 21: "extended-hours", 26: "closed"}
