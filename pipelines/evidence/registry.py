"""MLflow's registry as people read it: every published bundle a version, an alias on who holds the slot. It is derived
from the signed records and never asked: what it says can be thrown away and made again."""

import json
import os
from typing import Any

from pipelines import durable
from pipelines.digest import json_digest
from pipelines.evidence import publish
from pipelines.evidence.judged import SLOT
from pipelines.evidence.records import Record, Records
from pipelines.evidence.standing import Standing, standing
from pipelines.home import Home
from pipelines.training.tracking import QUIET, store_of

CHAMPION = "champion"


def _tags(record: Record, manifest: Any) -> dict[str, str]:
    return {"nightdesk.record": str(record.seq), "nightdesk.act": record.act, "nightdesk.bundle": str(manifest.seq),
            "nightdesk.digest": manifest.digest, "nightdesk.evidence": manifest.evidence_digest,
            "nightdesk.rung": manifest.rung, "nightdesk.expires": manifest.expires.isoformat(),
            "nightdesk.strategy": manifest.strategy, "nightdesk.key": manifest.strategy_key}  # fmt: skip


def _description(record: Record) -> str:
    verdict = record.content.get("verdict", {})
    return "\n".join(f"- {reason}" for reason in verdict.get("reasons", [])) or record.act


def derive_if_new(home: Home) -> dict[str, Any]:
    """The same, without waking MLflow where neither a record nor a bundle came since the last time."""
    last = Records(home).last()
    told = json_digest([last.sha256 if last else None, [folder.name for folder in publish.published(home)]])
    kept = home.work / "mlflow" / "registry.json"
    held: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {}
    if held.get("told") != told or not store_of(home).exists():
        held = {"told": told, **derive(home)}
        durable.write_json(kept, held, failpoint="mlflow.registry")
    return {"versions": held["versions"], "aliases": held["aliases"]}


def derive(home: Home, slot: str = SLOT) -> dict[str, Any]:
    """Bring the registry to what the records and the published bundles say; returns versions and aliases."""
    os.environ.update(QUIET)
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{store_of(home)}")
    by_digest = {record.content_digest: record for record in Records(home).all()}
    bundles = [(folder, publish.manifest_of(folder)) for folder in publish.published(home)]
    ours = [(folder, told) for folder, told in bundles if told.slot == slot and told.evidence_digest in by_digest]
    try:
        client.get_registered_model(slot)
    except MlflowException:
        if not ours:
            return {"versions": 0, "aliases": {}}
        client.create_registered_model(slot, description="Derived from the signed records; nothing reads it back.")
    known = {one.tags.get("nightdesk.bundle"): one for one in client.search_model_versions(f"name = '{slot}'")}
    version_of: dict[str, str] = {}
    for folder, manifest in ours:
        record = by_digest[manifest.evidence_digest]
        tags = _tags(record, manifest)
        made = known.get(tags["nightdesk.bundle"])
        if made is None:
            words = _description(record)
            made = client.create_model_version(slot, source=folder.as_uri(), tags=tags, description=words)
        version_of[manifest.evidence_digest] = str(made.version)  # the newest bundle of an act stands for it
    aliases = _aliases(standing(list(by_digest.values()), slot), version_of)
    held = dict(client.get_registered_model(slot).aliases)
    for name in held.keys() - aliases.keys():
        client.delete_registered_model_alias(slot, name)
    for name, version in aliases.items():
        if str(held.get(name)) != version:
            client.set_registered_model_alias(slot, name, version)
    return {"versions": len(version_of), "aliases": aliases}


def _aliases(held: Standing, version_of: dict[str, str]) -> dict[str, str]:
    if held.killed or held.champion is None or held.champion.content_digest not in version_of:
        return {}
    return {CHAMPION: version_of[held.champion.content_digest]}
