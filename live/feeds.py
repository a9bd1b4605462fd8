"""Which feed a word means, and the runner that listens to it."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from live.adapters.feed_databento import PORT, DatabentoConnection
from live.adapters.feed_paced import PacedFeed
from live.adapters.feed_polygon import REST, SOCKET, PolygonBackfill, PolygonConnection
from live.adapters.feed_stream import StreamedFeed
from live.adapters.tape import TapeFeed
from live.clock import from_us
from live.engine import DECIDE_BEFORE_OPEN
from live.pace import Pace
from live.ports import Feed
from live.risk import Limits
from live.running import Runner
from live.secret import Secret
from models.bundle import Bundle

LEAD = dt.timedelta(seconds=30)  # of market time before a tape's first decision


def started(
    bundle: Path, journal: Path, feed: str, speed: float | None, *, keys: Sequence[bytes], kill_file: Path,
    limits: Limits, environment: Mapping[str, str], say: Callable[[str], None] = lambda text: None,
) -> Runner:
    """A runner for `replay:PATH` at a speed, `polygon` or `databento`. What a vendor needs comes from the environment
    and from the bundle, whose snapshot says which symbol is which instrument."""
    kind, _, rest = feed.partition(":")
    if kind == "replay" and rest:
        tape = TapeFeed(Path(rest))
        first = next(iter(tape.bars(tape.sessions()[0])))
        pace = Pace(from_us(first.start_us) - DECIDE_BEFORE_OPEN - LEAD, speed or 1.0)

        def paced(bundle: Bundle) -> Feed:
            return PacedFeed(tape, pace, {times.session: times for times in bundle.calendar})

        return Runner(bundle, journal, paced, pace, keys, kill_file, limits, say=say)
    if speed not in (None, 1.0):
        raise ValueError(f"feed {feed} runs in real time: --speed is for sandbox and replay:PATH")
    if kind not in ("polygon", "databento"):
        raise ValueError(f"no feed '{feed}': use sandbox, replay:TAPE.parquet, polygon or databento")
    pace = Pace()

    def streamed(taken: Bundle) -> Feed:
        symbols = dict(zip(taken.snapshot.symbols, taken.snapshot.bars.names, strict=True))
        calendar = {times.session: times for times in taken.calendar}
        if kind == "databento":
            key = key_of(environment, "DATABENTO_API_KEY")
            wire = DatabentoConnection(key, symbols, environment.get("NIGHTDESK_DATABENTO_HOST", ""),
                                       int(environment.get("NIGHTDESK_DATABENTO_PORT", PORT)))
            return StreamedFeed(wire, None, pace, calendar, say=say)
        key = key_of(environment, "POLYGON_API_KEY", "MASSIVE_API_KEY")
        return StreamedFeed(
            PolygonConnection(key, symbols, environment.get("NIGHTDESK_POLYGON_SOCKET", SOCKET)),
            PolygonBackfill(key, symbols, environment.get("NIGHTDESK_POLYGON_REST", REST)), pace, calendar, say=say)

    key_of(environment, *KEYS[kind])  # a missing key is told at once, not when the bundle is there
    return Runner(bundle, journal, streamed, pace, keys, kill_file, limits, say=say)


KEYS = {"polygon": ("MASSIVE_API_KEY", "POLYGON_API_KEY"), "databento": ("DATABENTO_API_KEY",)}


def key_of(environment: Mapping[str, str], *names: str) -> Secret:
    for name in names:
        if environment.get(name):
            return Secret(environment[name])
    raise ValueError(f"this feed needs a key: set {' or '.join(names)} in the environment")
