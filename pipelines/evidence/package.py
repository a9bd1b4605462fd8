"""From a verdict to what live will read: the refit weights, what it must know, and a manifest that says so."""

import datetime as dt
from typing import Any

from models import bundle, golden
from models.features.registry import named
from models.manifest import FeatureEntry, Manifest
from models.strategy import Models, StrategyConfig
from pipelines.evidence import keys, publish
from pipelines.evidence.judge import Tonight
from pipelines.evidence.records import GRANTS
from pipelines.evidence.snapshot import build_snapshot
from pipelines.home import Home


def contents_of(home: Home, now: dt.datetime, inputs: Any, strategy: StrategyConfig,
                weights: dict[str, bytes]) -> tuple[dict[str, bytes], dt.date]:
    """Every file of a bundle but manifest and signature, and the newest session that it knows."""
    snapshot = build_snapshot(home, now, inputs.panel, strategy)
    fitted = Models.from_bytes(hmm=weights["hmm.json"], gbm=weights["gbm.txt"], gnn=weights["gnn.safetensors"])
    last: dt.date = snapshot.bars.sessions[-1].astype(object)
    return {
        **weights, **snapshot.to_files(), "strategy.json": strategy.to_json().encode(),
        "calendar.json": bundle.calendar_to_bytes(publish.calendar_after(last)),
        "golden.safetensors": golden.make(strategy, fitted, snapshot),
    }, last


def draft_of(tonight: Tonight, strategy: StrategyConfig, last: dt.date, now: dt.datetime) -> Manifest:
    """The manifest before its files and number are known."""
    content = tonight.record.content
    return Manifest(
        seq=1, created=now, expires=publish.expiry(last), slot=strategy.slot, strategy=strategy.name,
        strategy_key=strategy.key(), rung=content["rung"], last_session=last,
        features=tuple(FeatureEntry(one.name, one.version, one.family, one.look_back)
                       for one in named(strategy.features)),
        code_digest=content["inputs"]["code"], data_snapshot=content["inputs"]["data"],
        evidence_digest=tonight.record.content_digest, files={},
    )


def publish_night(home: Home, inputs: Any, tonight: Tonight, now: dt.datetime) -> dict[str, Any]:
    """Publish what the verdict lets through, verify it as live will, and say so; the section `bundle`."""
    serving = publish.check_serving(home)
    if tonight.record.act not in GRANTS:
        kept = f"; {serving.name} keeps the slot until it expires" if serving else ""
        why = next((one["plain"] for one in tonight.record.content["verdict"]["checks"] if not one["passed"]), "")
        return {"published": False, "unchanged": tonight.repeated, "serving": serving.name if serving else None,
                "why": f"Nothing published: {why}{kept}"}
    strategy = tonight.strategy
    contents, last = contents_of(home, now, inputs, strategy, tonight.files)
    folder, changed = publish.publish(home, contents, draft_of(tonight, strategy, last, now),
                                      keys.open_or_create(home.keys))
    loaded = bundle.load(folder, keys.trusted(home.keys), 0, min(now, publish.expiry(last)))
    return {
        "published": True, "unchanged": not changed, "seq": loaded.seq, "digest": loaded.digest,
        "path": str(folder.relative_to(home.root)), "created": loaded.manifest.created.isoformat(),
        "expires": loaded.manifest.expires.isoformat(), "rung": loaded.manifest.rung,
        "files": {path.name: path.stat().st_size for path in sorted(folder.iterdir())},
        "strategy": strategy.name, "record_seq": tonight.record.seq,
    }
