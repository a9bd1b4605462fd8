"""A market served by a process of its own says what the market here says, and is gone when nobody asks any more."""

import os
import select
from collections.abc import Iterator

import httpx
import pytest

from pipelines import beside, sandbox, settings
from pipelines.lake.sources import sandbox_plan
from pipelines.sandbox import apart
from tests import OWN

SIZES = {"names": 7, "sessions": 80, "nights": 6, "chain_sessions": 4, "tick_sessions": 3, "minute_sessions": 3,
         "incidents": "many"}
KEYLESS = ("/api/global/delayed_quotes/options/_SPX.json", "/api/global/us_indices/daily_prices/VIX_History.csv")


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Processes that were begun, however small the market and the machine are."""
    plain, seen = beside.process, []

    def process(module: str) -> object:
        made = plain(module)
        seen.append(made[0].pid)
        return made

    monkeypatch.setattr(apart, "WORTH_A_PROCESS", 0)
    monkeypatch.setattr(beside, "cores", lambda: 2)
    monkeypatch.setattr(beside, "process", process)
    yield seen


def test_the_same_bytes_from_another_process_which_ends_with_the_block(begun: list[int]) -> None:
    chosen = settings.load({"seed": 3, "sandbox": SIZES, "faults": {"schedule": "429@splits"}}, environment=OWN)
    market, now = sandbox.generate(chosen), sandbox.night_now(chosen, 0)
    asked = [f"/v2/aggs/grouped/locale/us/market/stocks/{day}?adjusted=false" for day in market.sessions[70:80]]
    with sandbox.serve(market, now) as here, sandbox.served(chosen, now) as there:
        process = os.pidfd_open(begun[0])
        with httpx.Client(headers={"Authorization": f"Bearer {here.key}"}) as client:
            for path in (*asked, *KEYLESS):
                one, two = client.get(here.polygon + path), client.get(there.polygon + path)
                assert one.status_code == two.status_code == 200, path
                assert one.content == two.content and one.headers["etag"] == two.headers["etag"]
            assert client.get(there.polygon + "/stocks/v1/splits").status_code == 429  # the faults went with it
    assert select.select([process], [], [], 0)[0]
    os.close(process)


def test_a_market_that_was_begun_is_the_one_that_is_served_and_another_is_made_anew(begun: list[int]) -> None:
    chosen = settings.load({"seed": 3, "sandbox": SIZES}, environment=OWN)
    other = settings.load({"seed": 4, "sandbox": SIZES}, environment=OWN)
    day, now = sandbox.generate(chosen).sessions[75], sandbox.night_now(chosen, 0)
    said = []
    for before, asked in ((chosen, chosen), (other, chosen), (chosen, other)):
        apart.begin(before)
        with sandbox.served(asked, now) as there:
            path = f"{there.polygon}/v2/aggs/grouped/locale/us/market/stocks/{day}?adjusted=false"
            said.append(httpx.get(path, headers={"Authorization": f"Bearer {there.key}"}).content)
    assert said[0] == said[1] != said[2] and len(begun) == 1 + 2 + 2


def test_what_is_asked_is_known_without_making_the_market() -> None:
    chosen = settings.load({"seed": 3, "sandbox": SIZES}, environment=OWN)
    market = sandbox.generate(chosen)
    for night in range(3):
        now = sandbox.night_now(chosen, night)
        assert sandbox_plan(chosen, sandbox.outline(chosen), now) == sandbox_plan(chosen, market, now)
    assert sandbox.outline(chosen).by_minute == sorted(market.minutes)
