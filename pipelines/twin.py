"""The morning after: the last live session against tonight's judgement of it, on tonight's data."""

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines.home import Home

if TYPE_CHECKING:
    from live.twin_day import Market
    from models.bundle import Bundle

KEPT_SESSIONS = 64  # no rung asks for more


def look_back(home: Home, now: dt.datetime) -> dict[str, Any]:
    """The section `twin`: the last live session by cause, after those that were looked back on before."""
    from live.settings import load_keys
    from live.twin import last_session, of_journal
    from live.twin_day import NoTwin
    from models.bundle import BundleRefused
    from models.market.costs import CostModel
    from pipelines.trading import journal_path

    before = [one for one in home.read_section("twin").get("sessions", [])]
    journal = journal_path(home)
    session = last_session(journal) if journal.exists() else None
    if session is None:
        return {"now": now.isoformat(), "sessions": [], "plain": "No session was traded yet."}
    made: dict[str, Any] = {"now": now.isoformat(), "sessions": before}
    if not _known(home, now, session):
        return {**made, "plain": f"Session {session} is newer than tonight's data: it is looked back on next night."}
    try:
        told = of_journal(journal, session, home.bundles, load_keys(home.keys / "trusted"), CostModel.default(),
                          lambda bundle: market_of(home, now, session, bundle))
    except (NoTwin, BundleRefused, FileNotFoundError) as problem:
        return {**made, "plain": f"Session {session} cannot be judged again: {problem}."}
    told["market_return"] = _market_return(home, now, session)
    others = [one for one in before if one["session"] != told["session"]]
    return {**made, "sessions": sorted([*others, told], key=lambda one: one["session"])[-KEPT_SESSIONS:],
            "plain": plain(told)}


def plain(told: dict[str, Any]) -> str:
    """The difference in a sentence: how much, and the largest cause."""
    if not told["difference"]:
        return f"Session {told['session']} was lived to the cent as it is judged."
    cause, part = max(told["parts"].items(), key=lambda item: abs(item[1]))
    return (f"Session {told['session']}: live made {told['live']:+,.2f} USD where judgement says "
            f"{told['judged']:+,.2f}; the largest cause is {cause} ({part:+,.2f}).")


def _known(home: Home, now: dt.datetime, session: dt.date) -> bool:
    from pipelines.lake import marts

    with marts.connect(home, as_of=now) as con:
        found = con.execute("SELECT count(*) FROM daily_bars WHERE session = ?", [session]).fetchone()
    return bool(found and found[0])


def market_of(home: Home, now: dt.datetime, session: dt.date, bundle: "Bundle") -> "Market":
    """The session as the lake tells it tonight, in order of the bundle's names."""
    from live.replay import Action
    from live.twin_day import Market, NoTwin
    from models.features.panel import FeaturePanel
    from pipelines.lake import marts
    from pipelines.store.frame import decision_panel
    from pipelines.training.baselines_panel import with_missing
    from pipelines.training.prices import read_prices

    whole, names = decision_panel(home, now=now), bundle.snapshot.bars.names
    whole = with_missing(home, whole, bundle.snapshot.panel.features, now)
    (row,) = np.nonzero(whole.sessions == np.datetime64(session))
    missing = set(names) - set(whole.names)
    if not len(row) or missing:
        raise NoTwin(f"tonight's panel lacks {', '.join(sorted(missing)) or session}")
    place = [whole.names.index(name) for name in names]
    kept = whole.upto(int(row[0]) + 1).select(bundle.snapshot.panel.features).tail(bundle.strategy.history)
    panel = FeaturePanel(kept.sessions, names, kept.features, np.ascontiguousarray(kept.values[:, place]),
                         np.ascontiguousarray(kept.tradable[:, place]),
                         None if kept.shortable is None else np.ascontiguousarray(kept.shortable[:, place]))
    prices = read_prices(home, now, whole)
    at = int(np.searchsorted(prices.sessions, np.datetime64(session)))
    with marts.connect(home, as_of=now) as con:
        acted = con.execute("SELECT instrument_id, kind, split_to / split_from, cash_amount FROM corporate_actions "
                            "WHERE ex_date = ? ORDER BY 1, 2", [session]).fetchall()
        minutes = con.execute("SELECT instrument_id, epoch_us(bar_start), open FROM minute_bars WHERE session = ? "
                              "ORDER BY 2, 1", [session]).fetchall()
    opens = {(name, start_us): price for name, start_us, price in minutes}
    first = {name: start_us for name, start_us, _ in reversed(minutes)}

    def column(values: Any) -> dict[str, float]:
        return {name: float(values[at, one]) for name, one in zip(names, place, strict=True)
                if np.isfinite(values[at, one])}

    actions = [Action(name, session, kind, float(ratio if kind == "split" else cash))
               for name, kind, ratio, cash in acted if name in names]
    return Market(panel, prices.reference_price[at][place], prices.adv20_usd[at][place], prices.vol20_daily[at][place],
                  column(prices.open_raw), column(prices.close_raw), actions, first,
                  lambda name, start_us: opens.get((name, start_us)))


def _market_return(home: Home, now: dt.datetime, session: dt.date) -> float | None:
    """What the tradable universe made from close to close, each name alike."""
    from pipelines.lake import marts

    with marts.connect(home, as_of=now) as con:
        found = con.execute(
            "WITH told AS (SELECT instrument_id, session, close * total_return_factor AS worth, lag(worth) OVER "
            "(PARTITION BY instrument_id ORDER BY session) AS before FROM daily_bars) "
            "SELECT avg(told.worth / told.before - 1) FROM told JOIN universe USING (session, instrument_id) "
            "WHERE session = ? AND tradable", [session]).fetchone()
    return float(found[0]) if found and found[0] is not None else None
