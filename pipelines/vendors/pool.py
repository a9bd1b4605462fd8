"""Threads that take the most urgent call first; equally urgent ones in the order in which they came."""

import heapq
import itertools
import threading
from collections.abc import Callable
from concurrent.futures import Future
from enum import IntEnum
from typing import Generic, TypeVar

T = TypeVar("T")


class RequestPriority(IntEnum):
    HIGH = 0
    NORMAL = 1
    LOW = 2


class Job(Generic[T]):
    """One call, run once however often it is queued."""

    def __init__(self, call: Callable[[], T], priority: RequestPriority) -> None:
        self.future: Future[T] = Future()
        self.priority = priority
        self._call, self._begun = call, threading.Lock()

    def run(self) -> None:
        if not self._begun.acquire(blocking=False) or not self.future.set_running_or_notify_cancel():
            return
        try:
            self.future.set_result(self._call())
        except BaseException as error:
            self.future.set_exception(error)


class PriorityPool(Generic[T]):
    """At most `workers` calls at a time; a thread begins when there is work for it."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._waiting: list[tuple[int, int, Job[T]]] = []
        self._threads: list[threading.Thread] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._idle, self._closed = 0, False

    def submit(self, call: Callable[[], T], priority: RequestPriority = RequestPriority.NORMAL) -> Job[T]:
        job = Job(call, priority)
        self._put(job)
        return job

    def hurry(self, job: Job[T], priority: RequestPriority) -> None:
        """Somebody needs it sooner than it was asked for."""
        if priority < job.priority and not job.future.running() and not job.future.done():
            job.priority = priority
            self._put(job)

    def shutdown(self) -> None:
        """What has not begun is cancelled; what has is waited for."""
        with self._changed:
            self._closed = True
            left, self._waiting = self._waiting, []
            self._changed.notify_all()
        for _, _, job in left:  # outside the lock: whoever hears of it may hold another
            job.future.cancel()
        for thread in self._threads:
            thread.join()

    def _put(self, job: Job[T]) -> None:
        with self._changed:
            if self._closed:
                raise RuntimeError("this transport is closed")
            heapq.heappush(self._waiting, (job.priority, next(self._order), job))
            if len(self._waiting) > self._idle and len(self._threads) < self._workers:
                self._threads.append(threading.Thread(target=self._work, daemon=True))
                self._threads[-1].start()
            self._changed.notify()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._idle += 1
                self._changed.wait_for(lambda: self._waiting or self._closed)
                self._idle -= 1
                if self._closed:
                    return
                job = heapq.heappop(self._waiting)[2]
            job.run()
