"""From deliveries to rows waiting to be versioned: keep the body, parse it, set the bad aside, spool the good."""

import datetime as dt
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import durable
from pipelines.home import Home
from pipelines.lake import answers, clocks, dated, quarantine, raw
from pipelines.lake.schemas import DATASETS, INSTANT
from pipelines.lake.versions import SHARED, incoming_schema
from pipelines.lake.withdrawals import Withdrawals
from pipelines.progress import say
from pipelines.settings import Quarantine
from pipelines.vendors.layout import Delivery, Route, route, slot
from pipelines.vendors.parsing import WHOLE_BODY, Parsed

_ROWS_AT_ONCE = 200_000
_PARSED_AT_ONCE = 2
_BODIES_AT_ONCE, _BYTES_AT_ONCE = 64, 64 << 20


@dataclass
class Landing:
    """One run's landing. Memory is bounded: bodies pass through, rows are spooled to `folder`."""

    home: Home
    held: raw.Held
    now: dt.datetime
    limits: Quarantine
    folder: Path = field(init=False)
    receipts: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)
    new_bodies: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    _waiting: dict[str, list[pa.Table]] = field(default_factory=dict)
    _rows_waiting: Counter[str] = field(default_factory=Counter)
    _writers: dict[str, pq.ParquetWriter] = field(default_factory=dict)
    _unkept: list[tuple[Delivery, Route, bytes]] = field(default_factory=list)
    _withdrawals: Withdrawals = field(init=False)
    _unread: list[str] = field(default_factory=list)
    _place: int = 0

    def __post_init__(self) -> None:
        self.folder = durable.fresh_staging(self.home.work, "incoming")
        self._withdrawals = Withdrawals(self.home, self.limits)

    def take(self, deliveries: Iterable[Delivery]) -> None:
        try:
            for delivery in deliveries:
                self._take(delivery)
        except Exception:
            self._keep()  # the next run goes on from here
            raise
        self._keep_and_parse()
        self._take_back()
        if self._unread:
            count = len(self._unread)
            say(f"    {count} bod{'ies hold' if count > 1 else 'y holds'} nothing that is read here, {self._unread[0]} "
                "the first; docs/vendors.md names the kinds that are")  # fmt: skip
        for name in list(self._waiting):
            self._spool(name)
        for writer in self._writers.values():
            writer.close()

    def incoming(self, dataset: str) -> Path | None:
        path = self.folder / f"{dataset}.parquet"
        return path if path.exists() else None

    def _take(self, delivery: Delivery) -> None:
        found = route(delivery.path)
        if found is None:
            return
        self.answers[found.vendor] += 1
        path, moment = delivery.path, delivery.received_at
        if moment is None:
            if (path, delivery.sha256) in self.held.bodies:
                return
        elif (path, delivery.sha256, moment) in self.held.known:
            return
        newest = self.held.newest.get(path)
        if delivery.body is None or (newest is not None and newest["sha256"] == delivery.sha256):
            assert moment is not None and newest is not None
            self._withdrawals.add(
                found.dataset, slot(path, found), moment, path, newest["sha256"], is_new=False
            )
            self._note(delivery, found, newest["bytes"], moment)
            return
        body = delivery.body()
        self._unkept.append((delivery, found, body))
        # The next delivery of this path is compared with this one, so nothing of a path may overtake.
        self.held.newest[path] = {"sha256": delivery.sha256, "bytes": len(body)}
        waiting_bytes = sum(len(entry[2]) for entry in self._unkept)
        if len(self._unkept) >= _BODIES_AT_ONCE or waiting_bytes >= _BYTES_AT_ONCE:
            self._keep_and_parse()

    def _keep(self) -> None:
        raw.keep_bodies(self.home, {delivery.sha256: body for delivery, _, body in self._unkept})
        answers.note(self.home, (one for one, _, _ in self._unkept), self.now)

    def _keep_and_parse(self) -> None:
        """Parsers are pure, so that the next bodies are read while this one's rows are set down."""
        self._keep()
        with ThreadPoolExecutor(_PARSED_AT_ONCE) as pool:
            under_way: deque[tuple[Delivery, Route, bytes, Future[list[tuple[str, Parsed]]]]] = deque()
            for delivery, found, body in self._unkept:
                under_way.append((delivery, found, body, pool.submit(found.read, body, delivery.path)))
                if len(under_way) > _PARSED_AT_ONCE:
                    self._parse(*under_way.popleft())
            while under_way:
                self._parse(*under_way.popleft())
        self._unkept.clear()

    def _note(self, delivery: Delivery, found: Route, size: int, moment: dt.datetime) -> None:
        row = {
            "path": delivery.path, "vendor": found.vendor, "dataset": found.dataset, "received_at": moment,
            "sha256": delivery.sha256, "bytes": size, "etag": delivery.etag, "url": delivery.url,
        }  # fmt: skip
        self.receipts.append(row)
        self.held.add([row])

    def _parse(
        self, delivery: Delivery, found: Route, body: bytes, parsed: "Future[list[tuple[str, Parsed]]]"
    ) -> None:
        told = parsed.result()
        timely = [(dataset, dated.refuse_the_future(dataset, part, delivery.received_at, self.now))
                  for dataset, part in told]  # fmt: skip
        parts = quarantine.refuse_bad_body([part for _, part in timely], self.limits)
        landed = {dataset: part for (dataset, _), part in zip(told, parts, strict=True)}
        rows = {dataset: clocks.with_clocks(dataset, table) for dataset, (table, _) in landed.items()}
        moment = delivery.received_at
        if moment is None:
            said = [table for table in rows.values() if table.num_rows]
            said = said or [clocks.with_clocks(dataset, table) for dataset, (table, _) in timely if table.num_rows]
            moment = clocks.modelled_receipt(delivery.path, said, self.now)
        before = self.held.pulled_at.get(slot(delivery.path, found), [])
        earlier = bisect_left(before, moment)
        pulled_before = before[earlier - 1] if earlier and delivery.received_at else None
        self._note(delivery, found, len(body), moment)
        self.new_bodies[found.vendor] += 1
        if delivery.received_at is not None:
            self._withdrawals.add(
                found.dataset, slot(delivery.path, found), moment, delivery.path, delivery.sha256, is_new=True
            )
        if found.whole and told and not any(table.num_rows or rejects for table, rejects in parts):
            self._unread.append(delivery.path)
        for dataset, (_, rejects) in landed.items():
            self.refused += quarantine.rows_of(
                rejects, vendor=found.vendor, dataset=dataset, path=delivery.path, sha256=delivery.sha256,
                received_at=moment,
            )  # fmt: skip
            self._set_down(dataset, rows[dataset], delivery, moment, pulled_before)

    def _set_down(
        self, dataset: str, rows: pa.Table, delivery: Delivery, moment: dt.datetime, pulled_before: dt.datetime | None
    ) -> None:
        if not rows.num_rows:
            return
        self._place += 1
        received = rows["modelled_at"] if delivery.received_at is None else _same(moment, INSTANT, rows)
        self._add(dataset, rows, {
            "received_at": received, "pulled_before_at": _same(pulled_before, INSTANT, rows),
            "body_sha256": _same(delivery.sha256, SHARED, rows),
            "path": _same(delivery.path, SHARED, rows), "place": _same(self._place, pa.int64(), rows),
        })  # fmt: skip

    def _take_back(self) -> None:
        """A fact that its list tells no longer is a version like any other, from the receipt of that list on."""
        for dataset, where, moment, sha256, table in self._withdrawals.rows():
            rows = clocks.with_clocks(dataset, table.append_column("row_index", _same(WHOLE_BODY, pa.int64(), table)))
            self._place += 1
            self._add(dataset, rows, {
                "received_at": _same(moment, INSTANT, rows), "pulled_before_at": _same(moment, INSTANT, rows),
                "body_sha256": _same(sha256, SHARED, rows), "path": _same(where, SHARED, rows),
                "place": _same(self._place, pa.int64(), rows),
            })  # fmt: skip

    def _add(self, dataset: str, rows: pa.Table, more: dict[str, Any]) -> None:
        for name, values in more.items():
            rows = rows.append_column(name, values)
        self._waiting.setdefault(dataset, []).append(rows.select(incoming_schema(DATASETS[dataset]).names))
        self._rows_waiting[dataset] += rows.num_rows
        if self._rows_waiting[dataset] >= _ROWS_AT_ONCE:
            self._spool(dataset)

    def _spool(self, dataset: str) -> None:
        schema = incoming_schema(DATASETS[dataset])
        if dataset not in self._writers:
            # Read once, within the hour, and then gone: packing it would cost more than it saves.
            words = [field.name for field in schema if pa.types.is_string(field.type) or field.type == SHARED]
            self._writers[dataset] = pq.ParquetWriter(
                self.folder / f"{dataset}.parquet", schema, compression="none", use_dictionary=words,
                write_statistics=False,
            )  # fmt: skip
        del self._rows_waiting[dataset]
        rows = pa.concat_tables(self._waiting.pop(dataset)).unify_dictionaries()
        self._writers[dataset].write_table(rows.cast(schema))


def _same(value: Any, kind: pa.DataType, rows: pa.Table) -> pa.Array:
    if pa.types.is_dictionary(kind):
        places = pa.repeat(pa.scalar(0, kind.index_type), rows.num_rows)
        return pa.DictionaryArray.from_arrays(places, pa.array([value], kind.value_type))
    return pa.repeat(pa.scalar(value, kind), rows.num_rows)
