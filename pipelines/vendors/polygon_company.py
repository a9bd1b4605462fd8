"""Polygon (Massive) on one company: its line of business as the SEC codes it, and since when it is listed."""

import re
from typing import Any

from pipelines.vendors.parsing import Parsed, Rows, parser
from pipelines.vendors.polygon import TICKER, results
from pipelines.vendors.polygon_reference import tickers

_SIC = re.compile(r"\d{3,4}")
_ASKED = re.compile(r"/reference/tickers/(BBG[A-Z0-9]{9})/overview")


@parser("ticker_details")
def overview(body: bytes, path: str) -> Parsed:
    """One company's answer. Funds and many foreign companies have no code, and then there is nothing to say."""
    company = results(body, wanted=dict)
    asked, code = _ASKED.search(path), company.get("sic_code")
    told = {**company, "composite_figi": company.get("composite_figi") or (asked and asked.group(1)),
            "sic_code": str(code) if type(code) is int else code}  # fmt: skip
    rows = Rows.of_records([told], ["ticker", "cik", "composite_figi", "sic_code", "sic_description", "list_date"])
    rows.skip([company.get("market") not in (None, "stocks") or code in (None, "")])
    columns: dict[str, Any] = {"ticker": rows.matching("ticker", TICKER, "bad_symbol")}
    for name in ("cik", "composite_figi", "sic_description"):
        columns[name] = rows.text(name, required=False)
    codes = rows.matching("sic_code", _SIC, "bad_range")
    columns["sic_code"] = [code if code is None else str(code).zfill(4) for code in codes]
    columns["list_date"] = rows.date("list_date", required=False)
    return rows.finish("ticker_details", columns)


def listed_or_told(body: bytes, path: str) -> list[tuple[str, Parsed]]:
    """A page of the list; or the answer on one company, kept where the vendor's own address of it would lie."""
    details, _ = overview(body, path)  # a page is none, and what is wrong with a company is said by the list's parser
    told = [("ticker_details", (details, []))] if details.num_rows else []
    return [("tickers", tickers(body, path)), *told]
