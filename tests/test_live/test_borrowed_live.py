"""A bundle that says what is lent: live is never short of anything else, wants what was judged, and can replay it."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from live import canonical
from live.journal import Journal
from live.passport import panel_of
from live.replay import replay
from live.risk import Limits
from models import golden
from models.bundle import load
from models.snapshot import Snapshot
from models.strategy import Models, decide, decide_many
from tests.test_live import world

COUNT = 4
LENT = np.array([True, False, True, False, True, False, True])


def contents() -> dict[str, bytes]:
    files = dict(world.contents.__wrapped__())
    known = Snapshot.from_files(files["snapshot.safetensors"], files["snapshot.json"])
    shortable = np.broadcast_to(LENT, known.panel.tradable.shape)
    told = replace(known, panel=replace(known.panel, shortable=shortable))
    models = Models.from_bytes(hmm=files["hmm.json"], gbm=files["gbm.txt"], gnn=files["gnn.safetensors"])
    return {**files, **told.to_files(), "golden.safetensors": golden.make(world.STRATEGY, models, told)}


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, made = tmp_path_factory.mktemp("borrowed"), contents()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world, "contents", lambda: made)
        world.publish(folder / "bundles")
    replay(folder / "bundles", world.tape(folder / "tape.parquet", 0, COUNT), folder / "journal.sqlite",
           verify_keys=[world.PUBLIC], limits=Limits.off())
    return folder


def entries(folder: Path, kind: str) -> list:
    book = Journal(folder / "journal.sqlite", read_only=True)
    found = list(book.entries(kind))
    book.close()
    return found


def test_live_wants_what_is_judged_and_no_short_that_nobody_lends(lived: Path) -> None:
    panel = world.world().panel()
    free = Models.from_bytes(**{name: world.contents()[file] for name, file in (
        ("hmm", "hmm.json"), ("gbm", "gbm.txt"), ("gnn", "gnn.safetensors"))})
    rows = range(world.PAST - 1, world.PAST - 1 + COUNT)
    told = replace(panel, shortable=np.broadcast_to(LENT, panel.tradable.shape))
    judged = decide_many(world.STRATEGY, free, told, rows)
    unbound = decide_many(world.STRATEGY, free, panel, rows)
    made = [entry.payload for entry in entries(lived, "decision")]
    assert len(made) == COUNT
    for payload, expected in zip(made, judged, strict=True):
        weights = canonical.unpacked(payload["weights"])
        assert weights.tobytes() == expected.weights.tobytes()  # P3
        assert not (weights[~LENT] < 0.0).any() and not (canonical.unpacked(payload["wanted"])[~LENT] < 0.0).any()
    assert any((one.weights[~LENT] < 0.0).any() for one in unbound)  # there was something to forbid


def test_no_position_is_ever_short_of_it(lived: Path) -> None:
    held: dict[str, int] = {}
    for entry in entries(lived, "fill"):
        fill = entry.payload
        held[fill["instrument_id"]] = held.get(fill["instrument_id"], 0) + fill["quantity"]
        assert held[fill["instrument_id"]] >= 0 or LENT[world.NAMES.index(fill["instrument_id"])]
    assert any(shares < 0 for shares in held.values())


def test_a_passport_decides_again_with_what_was_lent(lived: Path) -> None:
    (folder,) = [path for path in (lived / "bundles").iterdir() if path.is_dir()]
    first, values = entries(lived, "decision")[0], entries(lived, "features")[0].payload
    bundle = load(folder, [world.PUBLIC], 0, dt.datetime.fromisoformat(first.at))
    panel = panel_of(bundle, values)
    assert panel.shortable is not None and values["rows"][-1]["shortable"] == LENT.tolist()
    again = decide(bundle.strategy, bundle.models, panel)
    assert canonical.packed(again.weights) == first.payload["weights"]
