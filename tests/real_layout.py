"""The real samples laid out as the `files` source wants them: vendors' bodies under the vendors' own paths."""

import csv
import datetime as dt
import gzip
import io
import json
import shutil
import zipfile
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
REST, FLAT = "polygon/rest", "polygon/flatfiles/us_stocks_sip"
FIGI = {"AAPL": "BBG000B9XRY4", "GOOG": "BBG009S3NB30", "GOOGL": "BBG009S39JX6", "SPY": "BBG000BDTBL9"}
TICKERS = tuple(FIGI)
ES = "cme/dbn/esu4_nqu4_2024-07-01"
TRADES = "futures_trades_2024-07-01T23-58_2024-07-02T00-02.dbn.zst"
FACTS_OF_TODAY = {"market": "stocks", "locale": "us", "primary_exchange": "XNAS", "currency_name": "usd"}


def write(folder: Path, path: str, body: bytes) -> Path:
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(body)
    return target


def page(rows: Iterable[Any]) -> bytes:
    """One response of a Polygon list."""
    return json.dumps({"status": "OK", "request_id": "recorded", "results": list(rows)}).encode()


def _lines(samples: Path, *parts: str) -> list[list[str]]:
    return list(csv.reader((samples / "equities" / "lean").joinpath(*parts).read_text().split()))


def symbol_chain(samples: Path, name: str) -> list[tuple[dt.date, str]]:
    """(first day, ticker) of a company. A map file's row says up to which day a ticker was held."""
    rows = [(_day(row[0]), row[1].upper()) for row in _lines(samples, "map_files", f"{name.lower()}.csv")]
    chain = [rows[0]]
    for (held_to, _), (_, ticker) in zip(rows, rows[1:], strict=False):
        if ticker != chain[-1][1]:
            chain.append((held_to + dt.timedelta(days=1), ticker))
    return chain


def factor_rows(samples: Path, name: str) -> list[tuple[dt.date, float, float, float]]:
    """(last day it holds, price factor, split factor, close of that day), oldest first."""
    rows = _lines(samples, "factor_files", f"{name.lower()}.csv")
    return [(_day(row[0]), *(float(value) for value in row[1:])) for row in rows]  # type: ignore[misc]


def _day(text: str) -> dt.date:
    return dt.date(int(text[:4]), int(text[4:6]), int(text[6:8]))


def daily_rows(samples: Path, ticker: str) -> dict[dt.date, list[float]]:
    """Open, high, low, close in dollars and volume by session, as traded under that ticker at the time."""
    with zipfile.ZipFile(samples / "equities" / "lean" / "daily" / f"{ticker.lower()}.zip") as archive:
        text = archive.read(archive.namelist()[0]).decode()
    rows = {}
    for line in text.split("\n"):
        if line:
            stamp, *values = line.strip().split(",")
            rows[_day(stamp)] = [*(int(value) / 10_000 for value in values[:4]), int(values[4])]
    return rows


def lay_bars(
    samples: Path, folder: Path, first: dt.date, last: dt.date, tickers: Iterable[str] = TICKERS
) -> list[dt.date]:
    """Flat files of whole days, of these tickers."""
    days: dict[dt.date, list[str]] = defaultdict(list)
    for ticker in tickers:
        for day, (open_, high, low, close, volume) in daily_rows(samples, ticker).items():
            if first <= day <= last:
                start = int(dt.datetime.combine(day, dt.time(), tzinfo=NEW_YORK).timestamp()) * 1_000_000_000
                days[day].append(f"{ticker},{volume},{open_},{close},{high},{low},{start},1000")
    header = "ticker,volume,open,close,high,low,window_start,transactions"
    for day, lines in days.items():
        body = gzip.compress("\n".join([header, *sorted(lines), ""]).encode(), 1, mtime=0)
        write(folder, f"{FLAT}/day_aggs_v1/{day:%Y}/{day:%m}/{day}.csv.gz", body)
    return sorted(days)


def actions(samples: Path, names: Iterable[str] = TICKERS) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Splits and dividends that the factor files imply, under the ticker of their ex-date."""
    splits, dividends = [], []
    for name in names:
        rows, chain = factor_rows(samples, name), symbol_chain(samples, name)
        sessions = sorted(daily_rows(samples, name))
        for (day, price, split, close), (_, next_price, next_split, _) in zip(rows, rows[1:], strict=False):
            ex_date = next((session for session in sessions if session > day), None)
            if ex_date is None:
                continue
            ticker = [symbol for since, symbol in chain if since <= ex_date][-1]
            if split != next_split:
                ratio = next_split / split
                whole = round(ratio) if abs(ratio - round(ratio)) < 1e-4 else ratio
                splits.append({"id": f"E{name}{ex_date}", "ticker": ticker, "execution_date": str(ex_date),
                               "split_from": 1, "split_to": whole, "adjustment_type": "forward_split"})  # fmt: skip
            if price != next_price:
                dividends.append({"id": f"D{name}{ex_date}", "ticker": ticker, "ex_dividend_date": str(ex_date),
                                  "cash_amount": close * (1 - price / next_price), "currency": "USD"})  # fmt: skip
    return splits, dividends


def lay_reference(samples: Path, folder: Path, names: Iterable[str] = TICKERS) -> None:
    """Tickers, their events, splits and dividends."""
    listed = []
    for name in names:
        chain = symbol_chain(samples, name)
        kind = "ETF" if name == "SPY" else "CS"
        listed.append({"ticker": chain[-1][1], "name": f"{name} Inc", "type": kind, "active": True,
                       "composite_figi": FIGI[name], **FACTS_OF_TODAY})  # fmt: skip
        events = [{"type": "ticker_change", "date": str(since), "ticker_change": {"ticker": ticker}}
                  for since, ticker in reversed(chain)]  # fmt: skip
        company = {"name": f"{name} Inc", "composite_figi": FIGI[name], "events": events}
        body = json.dumps({"status": "OK", "request_id": "recorded", "results": company}).encode()
        write(folder, f"{REST}/vX/reference/tickers/{FIGI[name]}/events.json", body)
    splits, dividends = actions(samples, names)
    write(folder, f"{REST}/v3/reference/tickers/page-1.json", page(listed))
    write(folder, f"{REST}/v3/reference/splits/page-1.json", page(splits))
    write(folder, f"{REST}/stocks/v1/dividends/page-1.json", page(dividends))


def lay_chain(samples: Path, folder: Path) -> None:
    target = folder / "cboe/options/AAPL/2026-07-25.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(samples / "cboe/delayed_quotes_options_AAPL_2026-07-25.json", target)


def lay_quotedata(samples: Path, folder: Path) -> None:
    for file in sorted((samples / "cboe/quotedata_csv").glob("*.csv")):
        write(folder, f"cboe/quotedata/{file.name}", file.read_bytes())


def lay_indices(samples: Path, folder: Path) -> None:
    """A two-column index as served, and VIX brought into the vendor's own shape and dates."""
    body = (samples / "cboe/us_indices_daily_prices_AAVE10RP_History.csv").read_bytes()
    write(folder, "cboe/indices/AAVE10RP_History.csv", body)
    rows = list(csv.reader(io.StringIO((samples / "cboe/vix_daily_1990-2019.csv").read_text())))
    dated = [[f"{dt.date.fromisoformat(row[0]):%m/%d/%Y}", *row[1:]] for row in rows[1:]]
    text = "\r\n".join(",".join(row) for row in [rows[0], *dated]) + "\r\n"
    write(folder, "cboe/indices/VIX_History.csv", b"\xef\xbb\xbf" + text.encode())


def lay_trades(samples: Path, folder: Path) -> None:
    for file in sorted((samples / ES).glob("*.dbn.zst")):
        write(folder, f"cme/dbn/{file.name}", file.read_bytes())


def lay_details(samples: Path, folder: Path) -> None:
    for file in sorted((samples / "cme/volume_json/gold").glob("*.json")):
        day = file.name[:10].replace("-", "")
        write(folder, f"cme/volume_details/437_{day}_F.json", file.read_bytes())


def lay_everything(samples: Path, folder: Path, first: dt.date, last: dt.date) -> None:
    lay_bars(samples, folder, first, last)
    lay_reference(samples, folder)
    for lay in (lay_chain, lay_quotedata, lay_indices, lay_trades, lay_details):
        lay(samples, folder)
