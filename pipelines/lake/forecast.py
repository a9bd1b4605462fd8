"""What a night would ask for, how much would come, and what it would cost, before anything is asked that is charged."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pipelines.lake.asks import VendorPull
from pipelines.lake.tick_asks import SCHEMAS, USUAL_BYTES, schema_of
from pipelines.progress import say
from pipelines.vendors.http import Answer, Ask, HttpTransport, VendorError
from pipelines.vendors.layout import route

COST_TARGET = "/v0/metadata.get_cost"  # the vendor's own price, free to ask
# Bytes of one body where the lake holds none to go by: measured or documented sizes, rounded up.
_USUAL = {"tickers": 400_000, "ticker_events": 600, "ticker_details": 1_500, "splits": 250_000, "dividends": 350_000,
          "equity_bars": 1_300_000, "equity_minutes": 120_000, "option_chain": 14_000_000, "option_snapshots": 260_000,
          "index_bars": 25_000, "market_days": 2_000, "index_levels": 400_000, "market_statistics": 12_000,
          "volume_details": 12_000}  # fmt: skip
_SNAPSHOT_PAGES = 120  # of SPX, the widest chain there is
_MONTH_OF_BARS = 3_000
# Pages of a list that was never asked. How many companies it names decides how many histories follow.
_PAGES = {"tickers/delisted-": 30, "tickers/listed-": 13, "splits/": 30, "dividends/": 700}
_COMPANIES = 40_000


class SpendRefused(ValueError):
    """Tonight's charged questions would cost more than the settings allow."""


@dataclass(frozen=True)
class Line:
    """One kind of question. `basis` says whether its bytes rest on bodies held or on usual sizes. Bytes are at most
    these: what is held and unchanged is confirmed without a body."""

    vendor: str
    what: str
    requests: int
    bytes: int
    basis: str
    usd: float = 0.0


def lines(pull: VendorPull) -> Iterator[Line]:
    """Tonight's lines but for what they cost. Nothing is asked."""
    yield from _lists(pull)
    if flat := pull.flat_files():  # the listing, which is free, tells their sizes
        yield Line("polygon", "flat files", len(flat), sum(one.size for one in flat), "held")
    yield _line(pull, "polygon", "days", pull.day_asks())
    symbols, minutes = pull.plan.symbols, pull.plan.minutes
    if minutes:
        archive = minutes if pull.plan.archive else ()
        names = len(symbols) if symbols else max((len(pull.traded_on(day)) for day in archive), default=0)
        yield _guess(pull, "minute bars", "equity_minutes", len(minutes) * names)
    yield _line(pull, "cboe", "option chains", pull.chain_asks())
    if pictures := len(pull.plan.more.snapshots) * _SNAPSHOT_PAGES:
        yield _guess(pull, "pictures of chains", "option_snapshots", pictures)
    for what, asks in pull.more_asks():
        if asks:
            yield _line(pull, asks[0].vendor, what, asks)
    for what, asks in pull.tick_asks_by_kind():
        if asks or what == SCHEMAS["trades"]:
            yield _line(pull, "cme", what, asks)


def priced(pull: VendorPull, transport: HttpTransport, max_usd: float) -> list[Line]:
    """The lines with the vendor's own price of what it charges for."""
    pull, usd = affordable(pull, transport, max_usd)
    return [replace(line, usd=usd.get(line.what, 0.0)) for line in lines(pull)]


def affordable(pull: VendorPull, transport: HttpTransport, max_usd: float) -> tuple[VendorPull, dict[str, float]]:
    """The pull and its price by kind; without what nights missed, and then without its extras, where it would cost too
    much with them."""
    usd = _prices(pull, transport)
    today = replace(pull, plan=replace(pull.plan, catch_up=0))
    if sum(usd.values()) > max_usd and len(today.tick_asks()) < len(pull.tick_asks()):
        say(f"    cme: sessions that were missed are left out: with them tonight would cost {sum(usd.values()):.2f} "
            f"USD and spend.max_usd is {max_usd:.2f}")  # fmt: skip
        pull, usd = today, _prices(today, transport)
    needed = {SCHEMAS[schema]: usd[SCHEMAS[schema]] for schema in pull.plan.schemas}
    whole = sum(usd.values())
    if whole <= max_usd or sum(needed.values()) > max_usd or not pull.plan.extras:
        return pull, usd
    extras = " and ".join(SCHEMAS[schema] for schema in pull.plan.extras)
    say(f"    cme: {extras} are left out: with them tonight would cost {whole:.2f} USD and spend.max_usd is "
        f"{max_usd:.2f}")  # fmt: skip
    return replace(pull, plan=replace(pull.plan, extras=())), needed


def _prices(pull: VendorPull, transport: HttpTransport) -> dict[str, float]:
    return {what: cost_usd(asks, transport) for what, asks in pull.tick_asks_by_kind()}


def cost_usd(asks: list[Ask], transport: HttpTransport) -> float:
    """One free question for each that is charged, several at a time."""
    questions = (replace(ask, path=f"{ask.path}.cost", target=COST_TARGET) for ask in asks)
    return round(sum(_price(answer) for answer in transport.ask_all(questions)), 4)


def _price(answer: Answer) -> float:
    """What is no price is no permission to buy."""
    try:
        usd = float(answer.body or b"")
    except ValueError:
        usd = math.nan
    if not 0 <= usd < math.inf:
        what = answer.ask.path.removesuffix(".cost")
        raise VendorError(f"{answer.ask.vendor} tells no price of {what}: nothing that is charged was asked")
    return usd


def refuse_beyond(usd: float, max_usd: float) -> None:
    if usd > max_usd:
        raise SpendRefused(
            f"tonight's data of futures would cost {usd:.2f} USD and spend.max_usd is {max_usd:.2f}: nothing was "
            "asked. Raise it, or narrow coverage.roots or coverage.schemas; `nightdesk ingest --dry-run` shows what "
            "would be asked, and the price of each kind"
        )


def _lists(pull: VendorPull) -> Iterator[Line]:
    for stem, assumed in _PAGES.items():
        dataset = stem.partition("/")[0]
        held = sum(f"/{stem}" in path for path in pull.held.newest)
        yield _guess(pull, f"list of {stem.strip('/-')}", dataset, held or assumed)
    known = sum("/events.json" in path for path in pull.held.newest)
    if not known:
        yield _guess(pull, "changes of ticker", "ticker_events", len(pull.plan.symbols) or _COMPANIES)
    if pull.plan.more.companies and not any("/overview.json" in path for path in pull.held.newest):
        yield _guess(pull, "what companies do", "ticker_details", len(pull.plan.symbols) or known or _COMPANIES)


def _line(pull: VendorPull, vendor: str, what: str, asks: list[Ask]) -> Line:
    """By the sizes of the held bodies of these paths, else of their dataset."""
    sizes = [_size(pull, ask.path) for ask in asks]
    measured = all(known for _, known in sizes)
    return Line(vendor, what, len(asks), sum(size for size, _ in sizes), "held" if measured else "usual")


def _guess(pull: VendorPull, what: str, dataset: str, requests: int) -> Line:
    size = _mean(pull, dataset)
    return Line("polygon", what, requests, requests * (size or _USUAL[dataset]), "held" if size else "usual")


def _size(pull: VendorPull, path: str) -> tuple[int, bool]:
    held = pull.held.newest.get(path)
    if held:
        return int(held["bytes"]), True
    found, schema = route(path), schema_of(path)
    assert found is not None
    usual = _MONTH_OF_BARS if "/range/1/day/" in path else USUAL_BYTES[schema] if schema else _USUAL[found.dataset]
    size = _mean(pull, found.dataset, schema)
    return (size, True) if size else (usual, False)


def _mean(pull: VendorPull, dataset: str, schema: str | None = None) -> int:
    sizes = [row["bytes"] for path, row in pull.held.newest.items()
             if row.get("dataset") == dataset and schema_of(path) == schema]  # fmt: skip
    return sum(sizes) // len(sizes) if sizes else 0
