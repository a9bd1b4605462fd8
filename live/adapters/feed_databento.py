"""Databento's live gateway: lines of text to log in and subscribe, then DBN records. Its decoder is an extra."""

import hashlib
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from live.adapters.feed_stream import FeedRefused
from live.ports import Bar
from live.secret import Secret

DATASET = "GLBX.MDP3"
PORT = 13_000
PATIENCE_S = 10.0
SILENCE_S = 40.0  # the gateway beats every 30 seconds: longer silence is a dead line
MISSING = "feed databento needs the vendor's decoder: pip install 'nightdesk[databento]'"
SCALE = 1e9  # prices are whole numbers of a billionth
UNDEFINED = 2**63 - 1


@dataclass(frozen=True)
class DatabentoConnection:
    """One-minute bars of the raw symbols in `symbols`, which says which instrument each is."""

    key: Secret
    symbols: Mapping[str, str]
    host: str = ""
    port: int = PORT
    dataset: str = DATASET

    def run(self, up: Callable[[], None], bar: Callable[[Bar], None], ended: threading.Event) -> None:
        try:
            from databento_dbn import DBNDecoder
        except ImportError:
            raise FeedRefused(MISSING) from None

        host = self.host or f"{self.dataset.lower().replace('.', '-')}.lsg.databento.com"
        with socket.create_connection((host, self.port), timeout=PATIENCE_S) as line:
            line.settimeout(PATIENCE_S)
            self._log_in(line)
            line.sendall(f"schema=ohlcv-1m|stype_in=raw_symbol|symbols={','.join(sorted(self.symbols))}"
                         "|snapshot=0|is_last=1\n".encode())
            line.sendall(b"start_session=0\n")
            up()
            decoder, names = DBNDecoder(), dict[int, str]()
            line.settimeout(0.5)
            silent_s = 0.0
            while not ended.is_set():
                try:
                    data = line.recv(65_536)
                except TimeoutError:
                    silent_s += 0.5
                    if silent_s > SILENCE_S:
                        raise ConnectionError("not even a heartbeat") from None
                    continue
                if not data:
                    raise ConnectionError("closed by the gateway")
                silent_s = 0.0
                for record in decoder.write_and_decode(data):
                    self._hear(record, names, bar)

    def _log_in(self, line: socket.socket) -> None:
        """The greeting, a challenge, our answer, its verdict: each a line of `name=value|…`."""
        told = _told(_line(line))
        while "cram" not in told:
            told = _told(_line(line))
        key = self.key.reveal()
        proof = hashlib.sha256(f"{told['cram']}|{key}".encode()).hexdigest()
        line.sendall(f"auth={proof}-{key[-5:]}|dataset={self.dataset}|encoding=dbn|ts_out=0|heartbeat_interval_s=30"
                     "|client=nightdesk\n".encode())
        verdict = _told(_line(line))
        if verdict.get("success") != "1":
            raise FeedRefused(f"Databento: {verdict.get('error', 'refused')}"[:200])

    def _hear(self, record: Any, names: dict[int, str], bar: Callable[[Bar], None]) -> None:
        match type(record).__name__:
            case "SymbolMappingMsg" | "SymbolMappingMsgV1":
                names[record.instrument_id] = record.stype_in_symbol
            case "OHLCVMsg":
                instrument = self.symbols.get(names.get(record.instrument_id, ""))
                first, high, low, last = record.open, record.high, record.low, record.close
                if instrument is not None and UNDEFINED not in (first, high, low, last):
                    bar(Bar(instrument, record.ts_event // 1000, first / SCALE, high / SCALE, low / SCALE, last / SCALE,
                            float(record.volume)))
            case "ErrorMsg" | "ErrorMsgV1":
                raise FeedRefused(f"Databento: {record.err}"[:200])


def _line(line: socket.socket) -> bytes:
    """One line of text, byte by byte: what follows the last one is binary."""
    text = b""
    while not text.endswith(b"\n"):
        byte = line.recv(1)
        if not byte or len(text) > 4096:
            raise ConnectionError("the gateway broke off its greeting")
        text += byte
    return text


def _told(line: bytes) -> dict[str, str]:
    return {name: value for name, _, value in (part.partition("=") for part in line.decode("utf-8", "replace")
                                               .strip().split("|"))}
