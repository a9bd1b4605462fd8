"""What a person asks of the records: which bundles there are, who let them through, and whether the chains hold."""

from typing import Any

from pipelines.home import Home


def list_bundles(home: Home) -> list[dict[str, Any]]:
    """Every act, newest last, with the bundle that it let trade."""
    from pipelines.evidence.publish import manifest_of, published
    from pipelines.evidence.records import Records

    by_evidence: dict[str, list[dict[str, Any]]] = {}
    for folder in published(home):
        manifest = manifest_of(folder)
        by_evidence.setdefault(manifest.evidence_digest, []).append(
            {"seq": manifest.seq, "digest": manifest.digest, "folder": folder.name})
    return [
        {"record": record.seq, "act": record.act, "strategy": record.content.get("strategy"),
         "recorded_at": record.recorded_at, "bundles": by_evidence.get(record.content_digest, [])}
        for record in Records(home).all()
    ]


def show(home: Home, seq: int) -> dict[str, Any]:
    """One record whole."""
    from pipelines.evidence.records import Records

    for record in Records(home).all():
        if record.seq == seq:
            return {"seq": record.seq, "recorded_at": record.recorded_at, "key_id": record.key_id,
                    "content_digest": record.content_digest, **record.content}
    raise ValueError(f"no record {seq} in {home.records}; `nightdesk models list` shows those that are")


def verify(home: Home) -> dict[str, str]:
    """State of each chain: 'ok', 'none yet', or what is wrong in a sentence."""
    from models.bundle import BundleRefused, current, load
    from pipelines import night
    from pipelines.evidence import keys
    from pipelines.evidence.ledger import Ledger, LedgerBroken
    from pipelines.evidence.publish import NotPermitted, check_serving
    from pipelines.evidence.records import Records, RecordsBroken

    told: dict[str, str] = {}
    try:
        told["ledger"] = "ok" if Ledger(home.ledger).verify() else "none yet"
    except LedgerBroken as broken:
        told["ledger"] = str(broken)
    try:
        told["records"] = "ok" if Records(home).verify(keys.trusted(home.keys)) else "none yet"
    except RecordsBroken as broken:
        told["records"] = str(broken)
    try:
        folder = current(home.bundles) if home.bundles.exists() else None
        if folder is None:
            told["bundle"] = "none yet"
        else:
            check_serving(home)
            load(folder, keys.trusted(home.keys), 0, night.current(home))
            told["bundle"] = "ok"
    except (BundleRefused, NotPermitted) as refused:
        told["bundle"] = str(refused)
    return told


def print_list(rows: list[dict[str, Any]]) -> None:
    if not rows:
        print("nothing was ever judged here: run `nightdesk nightly`")
    for row in rows:
        bundles = ", ".join(f"bundle {one['seq']} ({one['digest'][:12]})" for one in row["bundles"]) or "no bundle"
        print(f"{row['record']:4}  {row['act']:8} {row['strategy']}  {row['recorded_at']}  {bundles}")
