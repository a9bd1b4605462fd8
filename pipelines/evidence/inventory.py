"""What a person asks of the evidence: which bundles there are, what a record says, whether the chains hold."""

from collections.abc import Callable
from typing import Any

from models.bundle import BundleRefused, current, load
from pipelines.evidence import keys, publish
from pipelines.evidence.ledger import Ledger, LedgerBroken
from pipelines.evidence.records import Records, RecordsBroken
from pipelines.home import Home


class NoSuchRecord(LookupError):
    """It says which numbers there are."""


def list_bundles(home: Home) -> list[dict[str, Any]]:
    """Every act, newest first, with the bundles that it let through."""
    serving = current(home.bundles)
    by_evidence: dict[str, list[dict[str, Any]]] = {}
    for folder in publish.published(home):
        manifest = publish.manifest_of(folder)
        by_evidence.setdefault(manifest.evidence_digest, []).append(
            {"seq": manifest.seq, "digest": manifest.digest, "path": str(folder.relative_to(home.root)),
             "expires": manifest.expires.isoformat(), "serving": folder == serving})
    return [{"record": record.seq, "act": record.act, "strategy": record.content["strategy"],
             "recorded_at": record.recorded_at, "bundles": by_evidence.get(record.content_digest, [])}
            for record in reversed(Records(home).all())]


def print_list(rows: list[dict[str, Any]]) -> None:
    if not rows:
        print("Nothing was judged yet: `nightdesk nightly` does.")
    for row in rows:
        print(f"record {row['record']}  {row['act']:8} {row['strategy']}  {row['recorded_at']}")
        for one in row["bundles"]:
            mark = "serving" if one["serving"] else ""
            print(f"    bundle {one['seq']}  {one['digest'][:12]}  until {one['expires']}  {mark}")


def show(home: Home, seq: int) -> dict[str, Any]:
    """One record whole."""
    found = {record.seq: record for record in Records(home).all()}
    if seq not in found:
        raise NoSuchRecord(f"no record {seq}; there are {', '.join(map(str, found)) or 'none'}")
    record = found[seq]
    return {"seq": record.seq, "recorded_at": record.recorded_at, "key_id": record.key_id,
            "content_digest": record.content_digest, **record.content}


def verify(home: Home) -> dict[str, str]:
    """'ok', 'none yet' or what is wrong, of each part."""
    trusted = keys.trusted(home.keys)

    def serving() -> int:
        folder = publish.check_serving(home)
        if folder is None:
            return 0
        # Expiry is live's business tonight; here the question is whether it is whole and ours.
        load(folder, trusted, 0, publish.manifest_of(folder).created)
        return 1

    return {"ledger": _state(lambda: Ledger(home.ledger).verify()),
            "records": _state(lambda: Records(home).verify(trusted)), "bundle": _state(serving)}


def recompute(home: Home) -> dict[str, str]:
    """Every judged value again, from its record and the evidence that it names by digest: 'ok' where the figures agree
    to 1e-9, and which record does not. One of other code that differs is told apart: its arithmetic may have been
    another."""
    from pipelines.evidence import ladder
    from pipelines.evidence.judge import code_digest
    from pipelines.evidence.verdict import recomputed

    records, same, other, wrong = Records(home), 0, 0, []
    try:
        records.verify(keys.trusted(home.keys))
    except RecordsBroken as broken:
        return {"verdicts": f"not computed: {broken}"}
    for record in records.all():
        if record.content.get("attempted") == "climb":
            asked, again = record.content["checks"], ladder.recomputed(record)
        elif "inputs" not in record.content:
            continue
        else:
            asked = [*record.content["verdict"]["checks"], {"value": record.content["verdict"]["figures"]}]
            ours = record.content["inputs"]["code"] == code_digest()
            try:
                now = recomputed(records, record)
            except (KeyError, TypeError, ValueError):
                if ours:
                    raise
                now = {"checks": [], "figures": {}}
            again = [*now["checks"], {"value": now["figures"]}]
            if not ours and not _close(asked, again):
                other += 1
                continue
        wrong += [] if _close(asked, again) else [record.seq]
        same += 1
    aside = f" ({other} by other code do not)" if other else ""
    if wrong:
        return {"verdicts": f"records {', '.join(map(str, wrong))} do not come out again"}
    return {"verdicts": f"ok, {same} come out again{aside}" if same else f"none yet{aside}"}


def _close(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return all(_close(value, other.get(name)) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_close, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= 1e-9 * max(1.0, abs(one))
    return bool(one == other)


def _state(count: Callable[[], int]) -> str:
    try:
        return "ok" if count() else "none yet"
    except (LedgerBroken, RecordsBroken, BundleRefused, publish.NotPermitted, ValueError, KeyError, OSError) as error:
        return str(error)
