"""Whose ticker it was: renames, reuse, deaths and late references, with dates that can be checked by hand."""

import datetime as dt

from models.market.symbol_versions import family_versions
from models.market.symbols import BarDay, Event, Family, Listing, intervals

EPOCH = dt.datetime(2003, 9, 10, 4, tzinfo=dt.UTC)


def at(month: int, day: int, hour: int = 5) -> dt.datetime:
    return dt.datetime(2025, month, day, hour, tzinfo=dt.UTC)


def date(month: int, day: int) -> dt.date:
    return dt.date(2025, month, day)


def event(owner: str, symbol: str, day: dt.date, known_at: dt.datetime | None = None) -> Event:
    known_at = known_at or dt.datetime.combine(day, dt.time(5), tzinfo=dt.UTC)
    return Event(owner, symbol, day, known_at, known_at)


def listing(owner: str, symbol: str, known_at: dt.datetime = EPOCH, gone: dt.date | None = None) -> Listing:
    return Listing(owner, symbol, gone, known_at, known_at)


def bars(*days: dt.date) -> list[BarDay]:
    return [(dt.datetime.combine(day, dt.time(21, 15), tzinfo=dt.UTC), day) for day in days]


def told(family: Family, known_at: dt.datetime) -> list[tuple[str, str, dt.date, dt.date | None]]:
    return sorted((s.instrument_id, s.symbol, s.start, s.end) for s in intervals(family, known_at))


def test_one_company_keeps_its_id_through_a_chain_of_tickers() -> None:
    # GOOCV on 27 March, GOOG from 3 April: one company. What was GOOG became GOOGL.
    family = Family(events=[
        event("C", "GOOCV", date(3, 27)), event("C", "GOOG", date(4, 3)),
        event("A", "GOOG", date(1, 2)), event("A", "GOOGL", date(4, 3)),
    ])  # fmt: skip
    assert told(family, at(4, 2)) == [("A", "GOOG", date(1, 2), None), ("C", "GOOCV", date(3, 27), None)]
    assert told(family, at(4, 3)) == [
        ("A", "GOOG", date(1, 2), date(4, 3)),
        ("A", "GOOGL", date(4, 3), None),
        ("C", "GOOCV", date(3, 27), date(4, 3)),
        ("C", "GOOG", date(4, 3), None),
    ]


def test_a_dead_company_leaves_its_ticker_to_another() -> None:
    family = Family(
        listings=[listing("DEAD", "TKN"), listing("DEAD", "TKN", at(2, 11), gone=date(2, 10)), listing("HEIR", "TKN")],
        events=[event("DEAD", "TKN", date(1, 2)), event("HEIR", "TKN", date(6, 2))],
    )
    assert told(family, at(2, 10, 23)) == [("DEAD", "TKN", date(1, 2), None)]
    assert told(family, at(2, 11)) == [("DEAD", "TKN", date(1, 2), date(2, 11))]  # the day after its last
    assert told(family, at(6, 2)) == [("DEAD", "TKN", date(1, 2), date(2, 11)), ("HEIR", "TKN", date(6, 2), None)]


def test_who_was_delisted_and_came_back_is_the_same_company_and_was_nowhere_in_between() -> None:
    days = bars(date(1, 2), date(2, 10), date(6, 2), date(6, 3))
    dead = [listing("B", "BCK"), listing("B", "BCK", at(2, 11), gone=date(2, 10))]
    back = Family(dead, [event("B", "BCK", date(1, 2)), event("B", "BCK", date(6, 2))], {"BCK": days})
    assert told(back, at(5, 1)) == [("B", "BCK", date(1, 2), date(2, 11))]
    assert told(back, at(7, 1)) == [("B", "BCK", date(1, 2), date(2, 11)), ("B", "BCK", date(6, 2), None)]
    named = Family(dead, [event("B", "BCK", date(1, 2)), event("B", "NEW", date(6, 2))], {"NEW": days[2:]})
    assert told(named, at(7, 1)) == [("B", "BCK", date(1, 2), date(2, 11)), ("B", "NEW", date(6, 2), None)]
    # A list that says a change of ticker was a death, some days off, tells of no gap.
    renamed = Family(dead, [event("B", "BCK", date(1, 2)), event("B", "NEW", date(2, 13))])
    assert told(renamed, at(7, 1)) == [("B", "BCK", date(1, 2), date(2, 13)), ("B", "NEW", date(2, 13), None)]


def test_three_companies_one_after_another_under_one_ticker_and_a_chain_that_comes_back_to_its_first() -> None:
    family = Family(
        listings=[listing("A", "TKN", at(4, 1), gone=date(3, 31)), listing("B", "TKN", at(6, 1), gone=date(5, 30)),
                  listing("C", "TKN"), listing("A", "ONE")],
        events=[event("A", "ONE", date(1, 2)), event("A", "TWO", date(2, 3)), event("A", "TKN", date(3, 3)),
                event("A", "ONE", date(8, 1)), event("B", "TKN", date(5, 2)), event("C", "TKN", date(7, 1))],
    )  # fmt: skip
    assert told(family, at(9, 1)) == [
        ("A", "ONE", date(1, 2), date(2, 3)), ("A", "ONE", date(8, 1), None), ("A", "TKN", date(3, 3), date(4, 1)),
        ("A", "TWO", date(2, 3), date(3, 3)), ("B", "TKN", date(5, 2), date(5, 31)), ("C", "TKN", date(7, 1), None),
    ]  # fmt: skip


def test_a_ticker_never_has_two_owners_even_if_nobody_told_of_the_first_ones_end() -> None:
    family = Family(events=[event("A", "TKN", date(1, 2)), event("B", "TKN", date(3, 3))])
    assert told(family, at(3, 3)) == [("A", "TKN", date(1, 2), date(3, 3)), ("B", "TKN", date(3, 3), None)]


def test_a_listing_without_dates_starts_with_its_first_free_bar() -> None:
    family = Family(
        listings=[listing("OLD", "TKN"), listing("OLD", "TKN", at(1, 8), gone=date(1, 7)), listing("YOUNG", "TKN")],
        bars={"TKN": bars(date(1, 6), date(1, 7), date(1, 20))},
    )
    assert told(family, at(1, 21)) == [
        ("OLD", "TKN", date(1, 6), date(1, 8)), ("YOUNG", "TKN", date(1, 20), None),
    ]  # fmt: skip


def test_without_reference_each_unbroken_life_is_its_own_instrument() -> None:
    family = Family(bars={"UNL": bars(date(1, 6), date(1, 7), date(3, 3), date(3, 4))})
    assert told(family, at(1, 8)) == [("TICKER:UNL:2025-01-06", "UNL", date(1, 6), None)]
    assert told(family, at(3, 5)) == [
        ("TICKER:UNL:2025-01-06", "UNL", date(1, 6), date(1, 8)),
        ("TICKER:UNL:2025-03-03", "UNL", date(3, 3), None),
    ]


def test_a_reference_that_arrives_late_takes_over_and_the_makeshift_id_is_withdrawn() -> None:
    family = Family(
        events=[event("FIGI", "SLW", date(1, 2), known_at=at(1, 9, 6))],
        bars={"SLW": bars(date(1, 6), date(1, 7))},
    )
    rows = [(r["instrument_id"], r["valid_from"], r["withdrawn"], r["available_at"]) for r in family_versions(family)]
    assert rows == [
        ("TICKER:SLW:2025-01-06", date(1, 6), False, at(1, 6, 21).replace(minute=15)),
        ("FIGI", date(1, 2), False, at(1, 9, 6)),
        ("TICKER:SLW:2025-01-06", date(1, 6), True, at(1, 9, 6)),
    ]


def test_a_change_told_for_a_saturday_counts_from_the_bars_that_show_it() -> None:
    # Told for Saturday the 14th; the old ticker's last bar was of the 11th, the new one's first of the 12th.
    family = Family(
        events=[event("M", "OLD", date(1, 2)), event("M", "NEW", date(6, 14))],
        bars={"OLD": bars(date(6, 10), date(6, 11)), "NEW": bars(date(6, 12), date(6, 13), date(6, 16))},
    )
    assert told(family, at(6, 13, 22)) == [("M", "OLD", date(1, 2), None), (
        "TICKER:NEW:2025-06-12", "NEW", date(6, 12), None)]  # fmt: skip
    assert told(family, at(6, 14)) == [("M", "NEW", date(6, 12), None), ("M", "OLD", date(1, 2), date(6, 12))]
    # Told too early: the old ticker traded on.
    family.events[1] = event("M", "NEW", date(6, 9))
    assert told(family, at(6, 17)) == [("M", "NEW", date(6, 12), None), ("M", "OLD", date(1, 2), date(6, 12))]


def test_bars_of_another_holder_move_no_change() -> None:
    family = Family(
        events=[event("C", "GOOCV", date(3, 27)), event("C", "GOOG", date(4, 3)),
                event("A", "GOOG", date(1, 2)), event("A", "GOOGL", date(4, 3))],
        bars={"GOOG": bars(date(4, 1), date(4, 2), date(4, 3)), "GOOCV": bars(date(4, 1), date(4, 2)),
              "GOOGL": bars(date(4, 3))},
    )  # fmt: skip
    assert told(family, at(4, 4)) == [
        ("A", "GOOG", date(1, 2), date(4, 3)), ("A", "GOOGL", date(4, 3), None),
        ("C", "GOOCV", date(3, 27), date(4, 3)), ("C", "GOOG", date(4, 3), None),
    ]  # fmt: skip


def test_where_list_and_bars_agree_against_the_events_they_are_believed() -> None:
    family = Family(
        listings=[listing("META", "META"), listing("KEPT", "KPT"), listing("BOTH", "NEW")],
        events=[event("META", "FB", date(1, 2)), event("KEPT", "KPT", date(1, 2)), event("KEPT", "GONE", date(3, 3)),
                event("BOTH", "OLD", date(1, 2))],
        bars={"FB": bars(date(2, 28)), "META": bars(date(3, 3), date(3, 4)), "KPT": bars(date(2, 28), date(3, 3)),
              "OLD": bars(date(2, 28), date(3, 4)), "NEW": bars(date(3, 3), date(3, 4))},
    )  # fmt: skip
    assert told(family, at(3, 3)) == [
        ("BOTH", "OLD", date(1, 2), None), ("KEPT", "GONE", date(3, 3), None), ("KEPT", "KPT", date(1, 2), date(3, 3)),
        ("META", "FB", date(1, 2), None),
    ]
    assert told(family, at(3, 5)) == [
        ("BOTH", "OLD", date(1, 2), None),  # nobody has two tickers at once
        ("KEPT", "KPT", date(1, 2), None),
        ("META", "FB", date(1, 2), date(3, 3)), ("META", "META", date(3, 3), None),
        ("TICKER:NEW:2025-03-03", "NEW", date(3, 3), None),
    ]


def test_a_change_told_too_early_has_not_happened_while_the_old_ticker_trades() -> None:
    family = Family(
        events=[event("A", "OLD", date(1, 2)), event("A", "NEW", date(4, 2))],
        bars={"OLD": bars(date(4, 1), date(4, 2), date(4, 3)), "NEW": bars(date(4, 4))},
    )  # fmt: skip
    assert told(family, at(4, 2)) == [("A", "NEW", date(4, 2), None), ("A", "OLD", date(1, 2), date(4, 2))]
    assert told(family, at(4, 3)) == told(family, at(4, 4)) == [("A", "OLD", date(1, 2), None)]
    assert told(family, at(4, 5)) == [("A", "NEW", date(4, 4), None), ("A", "OLD", date(1, 2), date(4, 4))]
    family.events.append(event("A", "LAST", date(4, 3)))  # NEW for a day, by the events; LAST had no bar yet
    assert told(family, at(4, 4)) == [("A", "OLD", date(1, 2), None)]
