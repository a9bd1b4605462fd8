"""What stands in a home, each part with the digest that a rerun must reproduce."""

import hashlib
import json
from typing import Any

from pipelines import lineage, sqlite
from pipelines.home import Home

MOST_NAMED = 4  # inputs on one line of what is stale


def collect(home: Home) -> dict[str, Any]:
    """Digests ignore when a thing was received and who signed it; `night` says how far the home has come."""
    night = home.work / "night.json"
    digests: dict[str, Any] = {
        "facts": _facts(home), "marts": _marts(home), "features": _features(home), "ledger": _ledger(home),
        "records": _records(home), "bundle": _bundle(home), "journal": _journal(home),
    }
    return {
        "home": str(home.root),
        "night": {k: v for k, v in json.loads(night.read_text()).items() if k != "run_id"} if night.exists() else None,
        "digests": digests,
        "stale": lineage.stale(home, _standing(digests)),
        "live": _live(home),
    }


def _standing(digests: dict[str, Any]) -> dict[str, str]:
    """What stands, under the names and versions that the graph has for it."""
    from pipelines.lake.facts import vendor_digest_of
    from pipelines.lake.schemas import VENDORS

    facts = {f"facts/{vendor}": vendor_digest_of(digests["facts"], vendor) for vendor in VENDORS}
    marts = {f"marts/{name}": digest for name, digest in digests["marts"].items()}
    return {**facts, **marts, **{f"features/{name}": digest for name, digest in digests["features"].items()}}


def _live(home: Home) -> dict[str, Any]:
    """The account as the live page shows it: state, kill switch, positions, limits, what happened lately."""
    from live.live_status import documents
    from pipelines.trading import KILL_FILE, journal_path

    limits = home.root / "limits.toml"
    return documents(journal_path(home), home.root / KILL_FILE, limits if limits.exists() else None)


def _facts(home: Home) -> dict[str, str]:
    from pipelines.lake.facts import facts_digest

    return facts_digest(home) if home.facts.exists() else {}


def _marts(home: Home) -> dict[str, str]:
    from pipelines.lake import marts

    pointer = home.marts / "current"
    return marts.mart_digests(home.marts / pointer.read_text().strip()) if pointer.exists() else {}


def _features(home: Home) -> dict[str, str]:
    return {name: told["digest"] for name, told in home.read_section("features").get("families", {}).items()}


def _ledger(home: Home) -> dict[str, Any]:
    from pipelines.evidence.ledger import Ledger

    ledger = Ledger(home.ledger)
    return {"rows": len(ledger.rows()), "head": ledger.head}


def _records(home: Home) -> list[str]:
    from pipelines.evidence.records import Records

    return [record.content_digest for record in Records(home).all()]


def _bundle(home: Home) -> dict[str, Any] | None:
    from models import bundle
    from pipelines.evidence.publish import manifest_of

    folder = bundle.current(home.bundles) if home.bundles.exists() else None
    return {"seq": manifest_of(folder).seq, "digest": manifest_of(folder).digest} if folder else None


def _journal(home: Home) -> dict[str, Any] | None:
    path = home.journal / "paper.sqlite"
    if not path.exists():
        return None
    with sqlite.reading(path) as book:
        tables = [row[0] for row in book.execute("select name from sqlite_master where type='table'")]
        rows = [repr(row) for table in sorted(tables) for row in book.execute(f"select * from {table} order by 1")]
    return {"rows": len(rows), "digest": hashlib.sha256("\n".join(rows).encode()).hexdigest()}


def print_status(told: dict[str, Any]) -> None:
    print(f"home {told['home']}")
    night = told["night"] or {}
    print(f"night {night.get('now', 'none yet')}, {'complete' if night.get('complete') else 'not complete'}")
    for part, value in told["digests"].items():
        if isinstance(value, dict):
            print(f"{part}:")
            for name, digest in value.items():
                print(f"  {name:20} {str(digest)[:16]}")
        else:
            print(f"{part}: {value if value else 'none'}")
    _print_stale(told["stale"])
    account = told["live"]["status"]
    thrown = f", kill switch thrown ({account['kill']['mode']})" if account["kill"]["thrown"] else ""
    session = account["session"] or "none"
    print(f"live: {account['state']}{thrown}, equity {account['equity']:,.2f}, last session {session}"
          f" {account['pnl']:+,.2f}, {account['positions']} positions")


def _print_stale(stale: list[dict[str, Any]] | None) -> None:
    """All that the next night has to look at again, and for what."""
    if not stale:
        print("stale: nothing" if stale is not None else "stale: not known before a night has run")
        return
    print(f"stale: {len(stale)}, which the next night looks at")
    for one in stale:
        changed, waiting = _some(one["changed"]), _some(one["waiting"])
        why = [f"{changed} changed"] * bool(changed) + [f"waits for {waiting}"] * bool(waiting)
        print(f"  {one['asset']:28} {'; '.join(why)}")


def _some(names: list[str]) -> str:
    return ", ".join(names[:MOST_NAMED]) + (f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else "")
