"""Feast's online store, in the home's file and on a real Redis: the newest known row, restatements included."""

import datetime as dt
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.store import build, feast_home, feast_store, online, read
from tests.test_pipelines.store_lived import NIGHTS, Lived

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.xdist_group("feast")]


@pytest.fixture(scope="module")
def redis_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of our own on a free loopback port, gone with the tests."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("no Redis: install the package redis-server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
             "--dir", str(tmp_path_factory.mktemp("redis"))]  # fmt: skip
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        for line in server.stdout:
            if "Ready to accept connections" in line:
                break
        assert server.poll() is None
        try:
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()


def served(lived: Lived, address: str) -> dict[str, float | None]:
    names = sorted({row["instrument_id"] for row in read.rows_as_of(
        lived.home, "equity_v1", lived.moments[NIGHTS[-1]]).select(["instrument_id"]).to_pylist()})  # fmt: skip
    answer = feast_store(lived.home, address).get_online_features(
        ["equity_v1:ret_5"], [{"instrument_id": name} for name in names]
    ).to_dict()
    return dict(zip(answer["instrument_id"], answer["ret_5"], strict=True))


def newest(lived: Lived, now: dt.datetime) -> dict[str, float | None]:
    rows = read.rows_as_of(lived.home, "equity_v1", now).to_pylist()
    return {row["instrument_id"]: row["ret_5"] for row in rows}


def materialize_thrice(lived: Lived, address: str) -> None:
    """Nights before a restatement, and after it: each time the newest row of all that was known."""
    digests, told = build.published_digests(lived.home), []
    last = lived.moments[NIGHTS[-1]]
    for now in (lived.moments[NIGHTS[0]], last - dt.timedelta(hours=1), last):
        (lived.home.feast / "state.json").unlink(missing_ok=True)  # another night: everything is behind
        assert not online.materialize(lived.home, digests, now, address)["unchanged"]
        known = newest(lived, now)
        answer = served(lived, address)
        assert {name: answer[name] for name in known} == known
        told.append(known)
    # The last hour brought no session, only word of a split: the newest row of that name was restated.
    assert [name for name in told[1] if told[1][name] != told[2][name]] == ["BBG0SBX00000"]
    assert online.materialize(lived.home, digests, now, address)["unchanged"]


def test_the_file_serves_the_newest_known_row_and_sleeps_when_nothing_changed(lived: Lived) -> None:
    materialize_thrice(lived, feast_home.SQLITE)


def test_redis_serves_the_newest_known_row_and_a_restatement_of_one_session(lived: Lived, redis_address: str) -> None:
    import redis

    materialize_thrice(lived, redis_address)
    before = served(lived, redis_address)
    assert feast_home.state(lived.home)["address"] == redis_address
    digests, now = build.published_digests(lived.home), lived.moments[NIGHTS[-1]]
    redis.Redis.from_url(redis_address).flushall()  # a server that was restarted empty
    assert not online.materialize(lived.home, digests, now, redis_address)["unchanged"]
    assert served(lived, redis_address) == before
    # Without a word a notebook opens what the night wrote to.
    assert feast_store(lived.home).config.online_store.type == "redis"


def test_an_address_that_cannot_be_meant_is_refused(lived: Lived, tmp_path: Path) -> None:
    for wrong in ("redis://:secret@127.0.0.1:1/0", "http://127.0.0.1"):
        with pytest.raises(ValueError, match="NIGHTDESK_REDIS_PASSWORD"):
            feast_home.online_config(wrong)
    with pytest.raises(ValueError, match="features.online=redis://127.0.0.1:1/0"):
        online.materialize(lived.home, build.published_digests(lived.home), lived.moments[5], "redis://127.0.0.1:1/0")
