"""A late split, a corrected bar and a rename, each landed alone after a night: the pages show it, status follows it to
everything downstream, the next night does what it touches, and the end is what a night from nothing comes to."""

import csv
import datetime as dt
import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipelines import sandbox, settings
from pipelines.home import Home
from pipelines.lake.ingest import ingest
from pipelines.lake.record import record
from tests import OWN
from tests.conftest import nightdesk
from tests.test_pipelines.ui_served import observed_sessions, serving, stale_assets

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("revisions")]
SIZES = {"small": True, "names": 5, "sessions": 330, "nights": 6, "chain_sessions": 2, "tick_sessions": 2}
QUICK = ("training.min_names=2", "training.optuna_trials=2", "training.boost_rounds=20", "training.gnn_epochs=3",
         "leak.decision_times=1")
BASE, SPLIT, CORRECTION = 2, 3, 5  # sandbox nights: what is known at first, and which night brings which news
KINDS = ("split", "correction", "rename")
OF_OTHER_VENDORS = ("options_v1", "futures_v1", "auction_v1", "tape_v1", "positioning_v1", "sentiment_v1")
ONE_A_FAMILY = 3  # what would be published is fitted to the cut; no fold that began before learns anything new
COMPARED = ("facts/", "staging/", "marts/", "features/", "training/panel", "training/hmm", "training/gbm",
            "training/gnn", "validation/judged")


@dataclass(frozen=True)
class Recorded:
    """A folder in the files layout in which three revisions come an hour apart, after what the first night knows."""

    folder: Path
    first: dt.datetime
    revised: dict[str, tuple[dt.datetime, str]]  # kind -> when it comes, and the session that it is about


def read_receipts(folder: Path) -> list[dict[str, str]]:
    with open(folder / "received.csv", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """The sandbox's first nights as a recording, told in another order: all that night 2 knew without the papers of the
    renamed company, then the late split alone, then the corrected day alone, then the papers."""
    home, folder = Home(tmp_path_factory.mktemp("market")), tmp_path_factory.mktemp("recording") / "files"
    chosen = settings.load({"home": str(home.root), "sandbox": SIZES}, environment=OWN)
    market = sandbox.generate(chosen)
    seen: list[set[tuple[str, str]]] = []
    nights = [sandbox.night_now(chosen, number) for number in range(CORRECTION + 1)]
    for now in nights:
        ingest(chosen, home, now)
    record(home, folder)
    rows = read_receipts(folder)
    for now in nights:
        known = [row for row in rows if dt.datetime.fromisoformat(row["received_at"]) <= now]
        seen.append({(row["path"], row["sha256"]) for row in known})
    renamed = next(company for company in market.cast if len(company.tickers) > 1)
    late = next(split for split in market.splits if nights[BASE] < split.published_at <= nights[SPLIT])
    assert market.correction is not None
    corrected_day = str(market.sessions[market.correction.session])
    papers = {one for one in seen[BASE] if renamed.figi in one[0]}
    splits = {one for one in seen[SPLIT] - seen[SPLIT - 1] if "/splits/" in one[0]}
    new = seen[CORRECTION] - seen[CORRECTION - 1]
    corrected = {one for one in new if corrected_day in one[0] and "grouped" in one[0]}
    assert papers and splits and corrected
    at = {kind: nights[BASE] + dt.timedelta(hours=hours) for hours, kind in enumerate(KINDS, 1)}
    told = [(*one, nights[BASE]) for one in seen[BASE] - papers]
    told += [(*one, at[kind]) for kind, news in zip(KINDS, (splits, corrected, papers), strict=True) for one in news]
    with open(folder / "received.csv", "w", newline="") as out:
        lines = csv.writer(out)
        lines.writerow(["path", "received_at", "sha256"])
        lines.writerows((path, moment.isoformat(), sha256) for path, sha256, moment in sorted(told))
    for file in [path for path in folder.rglob("*") if path.is_file()]:
        if file.relative_to(folder).as_posix() not in {path for path, _, _ in told} | {"received.csv"}:
            file.unlink()
    touched = (str(market.sessions[late.ex]), corrected_day, str(market.sessions[renamed.tickers[1][0]]))
    return Recorded(folder, nights[BASE], {kind: (at[kind], day) for kind, day in zip(KINDS, touched, strict=True)})


@dataclass
class Desk:
    home: Path
    source: Path

    def does(self, *words: str, now: dt.datetime) -> str:
        ran = nightdesk(*words, "--source", f"files:{self.source}", "--now", now.strftime("%Y-%m-%dT%H:%M:%S%z"),
                        *(word for one in QUICK for word in ("--set", one)), home=self.home)
        assert ran.returncode == 0, ran.stderr[-4000:]
        return ran.stderr

    def section(self, name: str) -> Any:
        return json.loads((self.home / "work" / "sections" / f"{name}.json").read_text())

    def stale(self) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = json.loads(nightdesk("status", "--json", home=self.home).stdout)["stale"]
        return told

    def fits(self) -> set[str]:
        return {path.name for path in (self.home / "work" / "models").iterdir()}

    def versions(self) -> dict[str, str]:
        told = json.loads((self.home / "work" / "versions.json").read_text())
        return {name: one["version"] for name, one in told.items() if name.startswith(COMPARED)}


@pytest.fixture(scope="module")
def downstream() -> tuple[set[str], set[str]]:
    """Of Polygon's facts: the direct children, and all that lies beyond, as the definitions have them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import dagster as dg

        from pipelines.definitions import defs

        graph = defs().resolve_asset_graph()
    key = dg.AssetKey(["facts", "polygon"])
    children, beyond = graph.get(key).child_keys, dg.AssetSelection.assets(key).downstream(include_self=False)
    return {one.to_user_string() for one in children}, {one.to_user_string() for one in beyond.resolve(graph)}


def test_each_is_shown_followed_and_worked_in_alone(
    recorded: Recorded, downstream: tuple[set[str], set[str]], tmp_path: Path
) -> None:
    desk = Desk(tmp_path / "home", recorded.folder)
    desk.does("nightly", now=recorded.first)
    assert desk.stale() == []
    moment = recorded.first
    for kind, (moment, day) in recorded.revised.items():
        desk.does("ingest", now=moment)
        with serving(desk.home) as address:
            assert day in observed_sessions(address, "polygon", 2), kind
            assert stale_assets(address) == {child: ["facts/polygon"] for child in downstream[0]}, kind
        assert {one["asset"] for one in desk.stale()} == downstream[1], kind
        before = desk.fits()
        desk.does("nightly", now=moment)
        assert desk.stale() == [], kind
        families = desk.section("features")["families"]
        untouched = {view: families[view]["rebuilt"] for view in OF_OTHER_VENDORS}
        assert not any(untouched.values()), (kind, untouched)
        bars = families["equity_v1"]
        assert 0 < bars["rebuilt"] <= bars["rows"], kind
        if kind != "rename":  # which gives one company the past of two
            assert bars["rebuilt"] < bars["rows"] / 2, kind
            assert len(desk.fits() - before) <= ONE_A_FAMILY, kind
    assert "Nothing changed" in desk.does("nightly", now=moment)
    assert desk.stale() == []
    with serving(desk.home) as address:
        assert stale_assets(address) == {}
    anew = Desk(tmp_path / "anew", recorded.folder)
    anew.does("nightly", now=moment)
    assert anew.versions() == desk.versions()
