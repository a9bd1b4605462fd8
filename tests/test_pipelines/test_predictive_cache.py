"""The cache: what comes back is what was given, never more bytes than stated, and what usually follows is there."""

import gc
import math
import threading
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.lake import PredictiveCache
from pipelines.lake.packing import Unpackable, pack, unpack

FRAME = pd.DataFrame({"session": pd.date_range("2025-01-02", periods=400, tz="UTC"), "symbol": ["SPY"] * 400,
                      "close": np.linspace(400.0, 450.0, 400), "volume": np.arange(400)})


class Hands:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


def test_what_is_kept_comes_back_for_its_time_and_belongs_to_who_asks() -> None:
    clock = Hands()
    cache = PredictiveCache(max_memory_mb=1000, clock=clock)
    cache.set("SPY_daily", FRAME, ttl=300)
    told = cache.get("SPY_daily")
    pd.testing.assert_frame_equal(told, FRAME)
    told["close"] = 0.0
    pd.testing.assert_frame_equal(cache.get("SPY_daily"), FRAME)
    clock.s = 299.9
    assert cache.get("SPY_daily") is not None
    clock.s = 300.0
    assert cache.get("SPY_daily") is None and cache.get("SPY_daily", "none") == "none"
    stats = cache.stats()
    assert (stats["hits"], stats["misses"], stats["expired"], stats["entries"]) == (3, 2, 1, 0)
    assert stats["hit_rate"] == 0.6 and len(pack(FRAME)) < 0.7 * FRAME.memory_usage(deep=True).sum()
    assert math.isnan(PredictiveCache().stats()["hit_rate"])


@pytest.mark.parametrize("value", [
    b"", b"\x00" * 5000, "word", None, True, 1, 1.5, [1, [2, "x"]], {"a": {"b": None}},
    np.arange(6).reshape(2, 3), np.array(2.5), np.array(["2025-01-02"], "datetime64[D]"),
    pa.table({"a": [1, None], "b": ["x", "y"]}), FRAME, FRAME.iloc[:0], FRAME.set_index("session"),
])
def test_values_come_back_as_they_were(value: Any) -> None:
    back = unpack(pack(value))
    assert type(back) is type(value)
    if isinstance(value, pd.DataFrame):
        pd.testing.assert_frame_equal(back, value)
    elif isinstance(value, np.ndarray):
        assert back.dtype == value.dtype and np.array_equal(back, value)
    else:
        assert back == value


@pytest.mark.parametrize("value", [
    object(), (1, 2), {1: 2}, [(1,)], math.nan, {"a": math.inf}, print, {1, 2}, np.array([object()]),
    pd.DataFrame({"mixed": [1, "a"]}), [True, (1,)],
])
def test_what_would_come_back_as_another_is_refused(value: Any) -> None:
    with pytest.raises(Unpackable):
        PredictiveCache().set("x", value)


KEYS = st.one_of(st.integers(0, 12).map(str), st.tuples(st.sampled_from("ab"), st.integers(0, 4)),
                 st.integers(0, 3).map(lambda n: "k" * 2000 * n))
ASKED = st.tuples(st.sampled_from(["set", "get"]), KEYS, st.integers(0, 9_000), st.floats(0.0, 9.0))


@settings(max_examples=25)
@given(st.lists(ASKED, min_size=10, max_size=60))
def test_it_never_holds_more_than_stated_and_never_tells_what_was_not_set(ops: Any) -> None:
    clock = Hands()
    cache = PredictiveCache(0.02, clock=clock)
    model: dict[Any, tuple[bytes, float]] = {}
    for kind, key, size, seconds in ops:
        clock.s += seconds / 10
        if kind == "set":
            value = np.random.default_rng(size).bytes(size)
            model[key] = value, clock.s + seconds
            cache.set(key, value, seconds)
        else:
            found = cache.get(key)
            assert found is None or (found == model[key][0] and clock.s < model[key][1])
        assert cache.used_bytes <= cache.max_bytes == 20_000
        assert cache.stats()["used_bytes"] >= sum(len(one.packed) for one in cache._kept.values())


def test_the_bytes_it_counts_are_those_it_takes() -> None:
    """What Python really has allocated, of small entries and of large ones; with habits of every key."""
    rng = np.random.default_rng(3)
    for size, count in ((10, 500), (20_000, 30)):
        gc.collect()
        tracemalloc.start()
        cache = PredictiveCache(0.2)
        for at in range(count):
            cache.set(("key", at), rng.bytes(size))
            cache.get(("key", at))
        gc.collect()
        taken = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        assert cache.stats()["evicted"] > 0 and taken <= cache.max_bytes, (size, taken)
        assert cache.used_bytes > 0.9 * cache.max_bytes


def test_what_is_larger_than_the_cache_is_not_kept_and_the_one_before_is_gone() -> None:
    cache = PredictiveCache(0.01)
    cache.set("a", b"small")
    cache.set("a", np.random.default_rng(1).bytes(20_000))
    assert cache.get("a") is None and cache.stats()["too_large"] == 1 and cache.stats()["entries"] == 0
    with pytest.raises(ValueError, match="above 0"):
        PredictiveCache(0)


def test_who_was_asked_for_longest_ago_goes_first() -> None:
    cache = PredictiveCache(0.01)
    blob = {name: np.random.default_rng(at).bytes(2200) for at, name in enumerate("abcd")}
    for name in "abc":
        cache.set(name, blob[name])
    assert cache.get("a") == blob["a"]
    cache.set("d", blob["d"])
    assert [name for name in "abcd" if cache.get(name) is not None] == ["a", "c", "d"]


class Source:
    """Loads and remembers what; a test waits for what is loaded in the background."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.came = threading.Condition()
        self.hold = threading.Event()
        self.hold.set()

    def __call__(self, key: str) -> str:
        assert self.hold.wait(5)
        with self.came:
            self.asked.append(key)
            self.came.notify_all()
        if key == "broken":
            raise KeyError(key)
        return key.upper()

    def wait(self, done: Callable[[], bool]) -> None:
        with self.came:
            assert self.came.wait_for(done, 5)


def test_what_usually_follows_is_there_before_it_is_asked_for() -> None:
    clock, source = Hands(), Source()
    cache = PredictiveCache(1.0, loader=source, loaded_ttl=10.0, clock=clock)
    for _ in range(2):  # once is no habit
        assert [cache.get(key) for key in ("spy", "qqq", "iwm")] == ["SPY", "QQQ", "IWM"]
        assert cache.stats()["loaded_ahead"] == 0
        clock.s += 10.0
    source.asked.clear()
    assert cache.get("spy") == "SPY"
    source.wait(lambda: "qqq" in source.asked)
    cache.close()  # waits for what is under way, and begins nothing more
    assert cache.get("qqq") == "QQQ" and sorted(source.asked) == ["qqq", "spy"]
    assert (cache.stats()["loaded_ahead"], cache.stats()["hits_ahead"]) == (1, 1)
    assert cache.get("iwm") is None


def test_what_follows_by_chance_is_not_loaded() -> None:
    clock, source = Hands(), Source()
    with_chance = PredictiveCache(1.0, loader=source, loaded_ttl=1.0, clock=clock)
    for after in "abcdefabcdef":
        with_chance.get("spy")
        with_chance.get(after)
        clock.s += 1.0
    assert with_chance.stats()["loaded_ahead"] == 0


def test_many_who_ask_at_once_load_once_and_all_hear_of_a_failure() -> None:
    source = Source()
    cache = PredictiveCache(1.0, loader=source)
    source.hold.clear()
    told: list[Any] = []
    threads = [threading.Thread(target=lambda: told.append(cache.get("spy"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    source.hold.set()
    for thread in threads:
        thread.join()
    assert told == ["SPY"] * 8 and source.asked == ["spy"]
    for _ in range(2):
        with pytest.raises(KeyError, match="broken"):
            cache.get("broken")
    assert source.asked.count("broken") == 2


def test_threads_that_set_get_and_forget_agree_on_the_bytes() -> None:
    cache = PredictiveCache(0.05)

    def work(seed: int) -> None:
        rng = np.random.default_rng(seed)
        for _ in range(400):
            key = int(rng.integers(40))
            if rng.random() < 0.5:
                cache.set(key, bytes([key]) * int(rng.integers(10, 3000)))
            else:
                found = cache.get(key)
                assert found is None or set(found) == {key}
            assert cache.used_bytes <= cache.max_bytes

    failed: list[BaseException] = []
    threads = [threading.Thread(target=_caught, args=(work, seed, failed)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


def _caught(work: Callable[[int], None], seed: int, failed: list[BaseException]) -> None:
    try:
        work(seed)
    except BaseException as problem:
        failed.append(problem)
