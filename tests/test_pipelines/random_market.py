"""Small random markets full of what makes the past change: restatements, late actions, renames, deaths, late prints."""

import datetime as dt
import random

from pipelines import calendars
from tests.test_pipelines.small_lake import DELAY, SmallLake, midnight

FIRST = dt.date(2025, 1, 6)


def random_market(seed: int, *, sessions: int = 34) -> tuple[SmallLake, list[dt.date]]:
    """Facts of a handful of companies over some weeks. Every second company meets something."""
    chance = random.Random(seed)
    days = calendars.sessions(FIRST, FIRST + dt.timedelta(days=sessions * 2))[:sessions]
    lake = SmallLake()
    death, rename, reuse = days[sessions // 3], days[sessions // 2], days[sessions // 3 + 4]
    listed = "2020-01-02"
    companies = {
        "FIGI-OLD": [(days[0], None, "OLD"), (rename, None, "NEW")],
        "FIGI-DEAD": [(days[0], death, "TKN")],
        "FIGI-HEIR": [(reuse, None, "TKN")],
        "FIGI-PLAIN": [(days[0], None, "PLN")],
        "UNLISTED": [(days[2], None, "UNL")],  # no reference ever says who this is
        "FIGI-SLOW": [(days[1], None, "SLW")],  # its reference arrives long after its bars
    }
    lake.company("FIGI-OLD", (listed, "OLD"), (rename.isoformat(), "NEW"))
    lake.company("FIGI-DEAD", (listed, "TKN"), gone=death.isoformat())
    lake.company("FIGI-HEIR", (reuse.isoformat(), "TKN"))
    lake.company("FIGI-PLAIN", (listed, "PLN"))
    arrives = calendars.close_at(days[sessions // 2]) + dt.timedelta(hours=chance.randint(2, 40))
    lake.company("FIGI-SLOW", (listed, "SLW"))
    for name in ("tickers", "ticker_events"):
        for row in lake.rows[name]:
            if row["composite_figi"] == "FIGI-SLOW":
                row["available_at"] = arrives
    for lives in companies.values():
        price = chance.uniform(4.0, 60.0)
        for number, (first, last, ticker) in enumerate(lives):
            until = last or (lives[number + 1][0] - dt.timedelta(days=1) if number + 1 < len(lives) else days[-1])
            for session in (day for day in days if first <= day <= until):
                price *= 1 + chance.gauss(0, 0.03)
                if chance.random() < 0.03:
                    continue  # a session without a bar
                late = calendars.close_at(session) + dt.timedelta(hours=chance.uniform(5, 90))
                known_at = late if chance.random() < 0.03 else None
                volume = float(chance.randint(50_000, 900_000))
                lake.bar(ticker, session, round(price, 2), volume=volume, known_at=known_at)
                if chance.random() < 0.05:  # the vendor corrects itself
                    again = max(late, calendars.close_at(session) + DELAY) + dt.timedelta(hours=chance.uniform(1, 60))
                    lake.bar(ticker, session, round(price * 1.01, 2), volume=123_456.0, known_at=again)
            _actions(chance, lake, ticker, [day for day in days if first <= day <= until])
    _futures(chance, lake, days[-6:])
    _fed(random.Random(seed + 10_000), lake, days[-8:], june="2035-06" if seed % 2 else "2025-06")
    _options(chance, lake, days[-5:])
    for session in days[-2:]:
        opened = calendars.open_at(session)
        for minute in range(4):
            for ticker in ("NEW", "PLN", "UNL", "SLW"):
                lake.minute(ticker, session, opened + dt.timedelta(minutes=minute), 10.0 + minute)
        lake.refuse("bad_price", calendars.close_at(session) + dt.timedelta(hours=9))
    _details(chance, lake, days[-7:])
    _levels(chance, lake, days[-5:])
    return lake, days


def _actions(chance: random.Random, lake: SmallLake, ticker: str, days: list[dt.date]) -> None:
    for ex_date in chance.sample(days, min(3, len(days))):
        late = midnight(ex_date) + dt.timedelta(days=chance.randint(1, 9), hours=3)
        known_at = late if chance.random() < 0.5 else None
        if chance.random() < 0.5:
            lake.split(ticker, ex_date, chance.choice([2.0, 3.0, 1.0]), chance.choice([1.0, 2.0]), known_at=known_at)
        else:
            lake.dividend(ticker, ex_date, round(chance.uniform(0.05, 0.6), 2), known_at=known_at)
            if chance.random() < 0.4:  # the amount was wrong
                revised = (known_at or midnight(ex_date)) + dt.timedelta(days=2, hours=7)
                lake.dividend(ticker, ex_date, 0.33, known_at=revised)


def _futures(chance: random.Random, lake: SmallLake, days: list[dt.date]) -> None:
    number = 0
    for session in days:
        opened = calendars.open_at(session)
        for symbol in ("ESH5", "ESM5"):
            for _ in range(25):
                number += 1
                at = opened + dt.timedelta(seconds=chance.randint(0, 600), microseconds=number)
                price, size, side = 5000 + chance.randint(-8, 8) * 0.25, chance.randint(1, 9), chance.choice("ABN")
                late = at + dt.timedelta(hours=chance.uniform(1, 60)) if chance.random() < 0.06 else None
                lake.trade(symbol, session, at, price, size, side, number, known_at=late)


def _fed(chance: random.Random, lake: SmallLake, days: list[dt.date], june: str) -> None:
    """What the feed of futures says beside its prints: bars of minutes and seconds, some late, some of a contract that
    a definition, itself late or moved, says has expired, or to be of another decade than the site does; statistics of
    another root, some taken back."""
    for place, session in enumerate(days):
        opened = calendars.open_at(session)
        for symbol in ("ESH5", "ESM5", "NQH5"):
            told = {"symbol": symbol, "root": symbol[:2], "expiry_hint": None, "instrument_no": int(symbol == "ESM5"),
                    "session": session}  # fmt: skip
            for span_s, count in ((60, 4), (1, 12)):
                for number in range(count):
                    start = opened + dt.timedelta(seconds=number * (60 if span_s == 60 else 9))
                    ends = start + dt.timedelta(seconds=span_s)
                    late = dt.timedelta(hours=chance.uniform(1, 60)) if chance.random() < 0.1 else dt.timedelta()
                    price, volume = 5000 + chance.randint(-8, 8) * 0.25, chance.randint(1, 90)
                    lake.add("futures_ohlcv", ends, ends + DELAY + late, **told, span_s=span_s, bar_start=start,
                             open=price, high=price + 1, low=price - 1, close=price, volume=volume)  # fmt: skip
            if symbol != "NQH5" and chance.random() < 0.6:
                told_at = opened - dt.timedelta(hours=chance.uniform(1, 20))
                gone = days[-2] if place < 5 or symbol == "ESM5" else days[-3]
                month = "2025-03" if symbol == "ESH5" else june
                lake.add("futures_definitions", told_at, told_at + DELAY, symbol=symbol, root="ES", told_at=told_at,
                         instrument_no=int(symbol == "ESM5"), contract_month=month,
                         expires_at=calendars.open_at(gone) + dt.timedelta(minutes=2), exchange="XCME",
                         currency="USD")  # fmt: skip
        for symbol, lead in (("NQH5", 3 - place), ("NQM5", place - 3)):
            for statistic in ("volume", "open_interest"):
                for sequence in range(chance.choice([1, 1, 2])):
                    told_at = calendars.close_at(session) + dt.timedelta(hours=chance.uniform(2, 40))
                    quantity = None if chance.random() < 0.1 else float(chance.randint(900, 1100) + 100 * lead)
                    lake.add("futures_statistics", calendars.close_at(session), told_at + DELAY, symbol=symbol,
                             root="NQ", expiry_hint=None, instrument_no=2, session=session, statistic=statistic,
                             told_at=told_at, sequence=sequence, quantity=quantity)  # fmt: skip


def _options(chance: random.Random, lake: SmallLake, days: list[dt.date]) -> None:
    for session in days:
        expiries = [session, session + dt.timedelta(days=7), session - dt.timedelta(days=1)]
        for expiry in expiries:
            for right in "CP":
                for strike in (95.0, 100.0, 105.0):
                    volume, interest = float(chance.randint(0, 50)), float(chance.randint(0, 90))
                    values = {"expiry": expiry, "right": right, "strike": strike, "volume": volume,
                              "open_interest": interest, "gamma": chance.uniform(0.001, 0.05)}  # fmt: skip
                    name = f"SPXW{expiry:%y%m%d}{right}{strike:08.0f}"
                    lake.option(session, name, **values)
                    if chance.random() < 0.05:
                        later = calendars.close_at(session) + dt.timedelta(hours=chance.uniform(2, 50))
                        lake.option(session, name, known_at=later, **{**values, "volume": 777.0})


def _details(chance: random.Random, lake: SmallLake, days: list[dt.date]) -> None:
    """Preliminary and final reports while the front rolls; now and then one is corrected or comes days late."""
    for place, session in enumerate(days):
        ended = dt.datetime.combine(session, dt.time(22), tzinfo=dt.UTC)
        for report, hours in (("preliminary", 4), ("final", 16)):
            out = ended + dt.timedelta(hours=chance.uniform(20, 70) if chance.random() < 0.15 else hours)
            for symbol, month, lead in (("ESH5", "2025-03", 3 - place), ("ESM5", "2025-06", place - 3)):
                row = {"root": "ES", "session": session, "symbol": symbol, "contract_month": month, "report": report,
                       "open_interest": float(chance.randint(900, 1100) + 100 * lead), "updated_at": None}  # fmt: skip
                volume = float(chance.randint(900, 1100) + 150 * lead)
                lake.add("volume_details", ended, out, **row, volume=volume)
                if chance.random() < 0.15:
                    lake.add("volume_details", ended, out + dt.timedelta(hours=9), **row, volume=2200.0 - volume)


def _levels(chance: random.Random, lake: SmallLake, days: list[dt.date]) -> None:
    for session in days:
        closed = calendars.close_at(session)
        for dataset, more, hours in (("index_bars", {"source": "aggs"}, 0), ("index_bars", {"source": "flatfile"}, 14),
                                     ("index_levels", {}, 2)):  # fmt: skip
            level = round(chance.uniform(15, 16), 1)
            lake.add(dataset, closed, closed + DELAY + dt.timedelta(hours=hours), index="VIX", session=session,
                     open=level, high=level, low=level, close=level, **more)  # fmt: skip
