"""From a verdict to what live will read: the refit weights, what it must know, and a manifest that says so."""

import datetime as dt
from typing import Any

from models import bundle, golden
from models.features.registry import named
from models.manifest import FeatureEntry, Manifest
from models.strategy import Models, StrategyConfig
from pipelines.evidence import keys, provenance, publish
from pipelines.evidence.judge import Tonight
from pipelines.evidence.records import GRANTS, Record, Records
from pipelines.evidence.snapshot import build_snapshot
from pipelines.evidence.standing import Standing, standing
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


def draft_of(tonight: Tonight, strategy: StrategyConfig, last: dt.date, now: dt.datetime,
             held: Standing) -> Manifest:
    """The manifest before its files and number are known."""
    content = tonight.record.content
    expires = publish.expiry(last)
    if "until" in content:
        expires = min(expires, dt.datetime.fromisoformat(content["until"]))
    return Manifest(
        seq=1, created=now, expires=expires, slot=strategy.slot, strategy=strategy.name,
        strategy_key=strategy.key(), rung=held.rung, capital_share=held.share, last_session=last,
        features=tuple(FeatureEntry(one.name, one.version, one.family, one.look_back)
                       for one in named(strategy.features)),
        code_digest=content["inputs"]["code"], data_snapshot=content["inputs"]["data"],
        evidence_digest=tonight.record.content_digest, files={},
    )


def refusal(record: Record, held: Standing) -> str | None:
    """Why what was judged may not be published, or None where it may."""
    if record.act == "propose":
        waits = held.proposal is not None and held.proposal.seq == record.seq
        return f"record {record.seq} waits for a person's approval." if waits else \
            f"a later act turned down what record {record.seq} proposed."
    if record.act not in GRANTS:
        return next((one["plain"] for one in record.content["verdict"]["checks"] if not one["passed"]), "")
    if held.killed:
        return f"record {held.killed.seq} stopped this slot until it is reset."
    if held.champion is None or held.champion.content_digest != record.content_digest:
        return f"a later act took back what record {record.seq} let through."
    gaps = provenance.card_gaps(record.content.get("card", {}))
    return f"the model card does not say {', '.join(gaps)}." if gaps else None


def publish_night(home: Home, inputs: Any, tonight: Tonight, now: dt.datetime) -> dict[str, Any]:
    """Publish what the verdict lets through, verify it as live will, and say so; the section `bundle`."""
    held = standing(Records(home).all(), tonight.record.content["slot"])
    if held.killed or held.champion is None:
        publish.withdraw(home)  # an act that was killed between its record and the pointer
    serving = publish.check_serving(home)
    why = refusal(tonight.record, held)
    if why is not None:
        kept = f"; {serving.name} keeps the slot until it expires" if serving else ""
        return {"published": False, "unchanged": tonight.repeated, "serving": serving.name if serving else None,
                "why": f"Nothing published: {why}{kept}"}
    strategy = tonight.strategy
    contents, last = contents_of(home, now, inputs, strategy, tonight.files)
    draft = draft_of(tonight, strategy, last, now, held)
    folder, changed = publish.publish(home, contents, draft, keys.open_or_create(home.keys))
    loaded = bundle.load(folder, keys.trusted(home.keys), 0, min(now, draft.expires))
    return {
        "published": True, "unchanged": not changed, "seq": loaded.seq, "digest": loaded.digest,
        "path": str(folder.relative_to(home.root)), "created": loaded.manifest.created.isoformat(),
        "expires": loaded.manifest.expires.isoformat(), "rung": loaded.manifest.rung,
        "files": {path.name: path.stat().st_size for path in sorted(folder.iterdir())},
        "strategy": strategy.name, "record_seq": tonight.record.seq,
    }
