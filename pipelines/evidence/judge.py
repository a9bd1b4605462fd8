"""The verdict of a night: promote where nobody holds the slot, refresh where somebody does; written down and signed."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import models
from models.strategy import StrategyConfig
from pipelines.digest import json_digest
from pipelines.evidence import health, keys, reserve
from pipelines.evidence.judged import SLOT, JudgedNight, strategy_of
from pipelines.evidence.ledger import Ledger
from pipelines.evidence.policy import in_words, measured, policy_of
from pipelines.evidence.provenance import card, dossier
from pipelines.evidence.records import GRANTS, Record, Records
from pipelines.evidence.standing import standing
from pipelines.evidence.verdict import Question, plain_verdict, reach
from pipelines.home import Home
from pipelines.settings import Settings

RUNG = "shadow"  # where every newly judged strategy begins
FILES = {"hmm": "hmm.json", "gbm": "gbm.txt", "gnn": "gnn.safetensors"}


@dataclass(frozen=True)
class Tonight:
    """What was decided and with what: the record, and the fitted files that it speaks of."""

    record: Record
    files: dict[str, bytes]
    repeated: bool  # the same inputs were judged before: nothing new was decided
    searched: str | None = None  # what a search found that changed nothing

    @property
    def strategy(self) -> StrategyConfig:
        return StrategyConfig.from_json(json.dumps(self.record.content["config"]))


@lru_cache
def code_digest() -> str:
    """Digest of everything that fits, scores and judges: the sources under models/."""
    root = Path(models.__file__).parent
    told = sha256()
    for path in sorted(path for path in root.rglob("*") if path.suffix in {".py", ".toml"}):
        told.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return told.hexdigest()


def data_snapshot(home: Home, night: JudgedNight) -> dict[str, str]:
    """What was looked at, as digests: marts, feature tables, and the panel with its labels."""
    marts = home.read_section("warehouse").get("marts", {})
    views = home.read_section("features").get("families", {})
    return {**{f"marts/{name}": told["digest"] for name, told in marts.items()},
            **{f"features/{name}": told["digest"] for name, told in views.items()}, "training": night.data_digest}


def decide_night(home: Home, settings: Settings, inputs: Any, night: JudgedNight, now: dt.datetime, *,
                 search: bool = False) -> Tonight:
    """Judge, write the record, return it. The same inputs as the last acts' are not judged again.

    A search asks first whether another configuration deserves the slot; where none does, whoever holds it is refreshed
    as on any other night."""
    champion = _champion(Records(home), now)
    if champion is None:
        return _decide("promote", night.best, home, settings, inputs, night, now, None)
    held = night.column(champion.content["key"])
    told = None
    if search and night.best == held:
        told = f"The search found nothing better than {night.candidates[held]['name']}, which holds the slot."
    elif search:
        found = _decide("promote", night.best, home, settings, inputs, night, now, champion)
        if found.record.act != "reject":
            return found
        failed = [one["plain"] for one in found.record.content["verdict"]["checks"] if not one["passed"]]
        told = f"The search's best, {found.record.content['strategy']}, was refused: {failed[0]}"
    return replace(_decide("refresh", held, home, settings, inputs, night, now, champion), searched=told)


def _champion(records: Records, now: dt.datetime) -> Record | None:
    """Who holds the slot and can be refitted; nobody, where the slot is to be searched anew."""
    champion = records.champion(SLOT)
    if champion is not None and strategy_of(champion) is None:
        return None  # other code: what holds the slot cannot be refitted
    if champion is not None and now > _until(champion):
        return None  # a person let it through for a time, which is over
    return champion


def _repeated(records: Records, told: Mapping[str, Any]) -> Record | None:
    """The act that came of these very inputs, if none since then came of others."""
    digest = json_digest(dict(told))
    for record in reversed(records.all()):
        inputs = record.content.get("inputs")
        if inputs is not None and record.content["inputs_digest"] == digest:
            return record
        if inputs is not None and inputs["data"] != told["data"]:
            return None
    return None


def _decide(attempted: str, chosen: int, home: Home, settings: Settings, inputs: Any, night: JudgedNight,
            now: dt.datetime, champion: Record | None) -> Tonight:
    records, ledger, policy = Records(home), Ledger(home.ledger), policy_of(settings)
    judged = [night.candidates[at]["key"] for at in night.of_kind("candidate")] if attempted == "promote" \
        else [night.candidates[chosen]["key"]]
    strategy = night.strategy(chosen)
    files = final_files(home, settings, inputs, strategy, ledger, now)
    found = health.examine(home, ledger, files, strategy, inputs.panel, inputs.labelled)
    secret = health.unwritten(ledger, _target(), settings.seed, [one["key"] for one in night.candidates])
    if secret:
        words = (*found.words, f"Judged without being written down: {', '.join(key[:12] for key in secret)}.")
        found = replace(found, ledger_clean=False, words=words)
    told = {"data": data_snapshot(home, night), "code": code_digest(), "policy": policy.told(), "seed": settings.seed,
            "candidates": [one["key"] for one in night.candidates], "health": asdict(found), "costs": night.costs,
            "chosen": strategy.key(), "weights": {name: sha256(data).hexdigest() for name, data in files.items()}}
    same, newest = _repeated(records, told), records.last()
    if same is not None and newest is not None:
        records.write_anchor(newest)
        return Tonight(same, files, repeated=True)
    question = Question(attempted, strategy.key(), tuple(judged), ledger.n(_target()), settings.seed)
    verdict = reach(question, night, champion, found, policy)
    verdict, opened, unsealed = reserve.opened(home, settings, strategy, ledger, now, verdict)
    figures = plain_verdict(verdict)["figures"]
    held = standing(records.all(), SLOT).rung
    # A person decides where the settings say so, and where another configuration would take the slot from one that has
    # money in use.
    waits = verdict.act == "promote" and (RUNG in settings.approval.rungs or champion is not None and held != RUNG)
    content = {
        "act": "propose" if waits else verdict.act, "attempted": attempted, "slot": SLOT,
        "strategy": strategy.name, "key": strategy.key(),
        "config": night.candidates[chosen]["config"], "inputs": told, "inputs_digest": json_digest(told),
        "judged": judged, "verdict": plain_verdict(verdict), "knowledge_cut": now.isoformat(),
        "ledger": {"n": question.trials_n, "head": ledger.head}, "rung": held if attempted == "refresh" else RUNG,
        "parent": champion.content_digest if champion else None,
        "rollback_target": champion.content_digest if champion else None,
        "card": card(night, chosen, figures), **opened, **dossier(home, settings, night, strategy),
        **({"until": champion.content["until"]} if champion and attempted == "refresh" and "until" in champion.content
           else {}),
    }
    record = records.append(content, {**night.to_files(), **unsealed}, now, keys.open_or_create(home.keys))
    return Tonight(record, files, repeated=False)


def _until(champion: Record) -> dt.datetime:
    """The last moment of what was let through for a time; never, where the gate let it through."""
    told = champion.content.get("until")
    return dt.datetime.fromisoformat(told) if told else dt.datetime.max.replace(tzinfo=dt.UTC)


def final_files(home: Home, settings: Settings, inputs: Any, strategy: StrategyConfig, ledger: Ledger,
                now: dt.datetime) -> dict[str, bytes]:
    """The weights a bundle carries: the judged procedure refit on all data to the cut, cached if known."""
    from pipelines.training.walk import fit_final

    final = fit_final(home, settings, inputs, strategy, ledger, now)
    return {file: getattr(final, name) for name, file in FILES.items()}


class NotJudged(LookupError):
    """There is no judgement whose weights could be published now."""


def last_verdict(home: Home, settings: Settings, inputs: Any, now: dt.datetime) -> Tonight:
    """What `decide_night` wrote down last, for the steps after it; the weights are those it judged, or an error."""
    records = Records(home)
    record, champion = records.judged(), records.champion(SLOT)
    if record is None:
        raise NotJudged("nothing was judged in this home yet")
    if champion is not None and record.act == "reject" and record.content["inputs"]["data"] == \
            champion.content["inputs"]["data"]:
        record = champion  # a search was refused after this night's refresh: the refresh is what there is to publish
    strategy = strategy_of(record)
    if strategy is None:
        raise NotJudged(f"record {record.seq} was written by other code: judge again before publishing")
    files = final_files(home, settings, inputs, strategy, Ledger(home.ledger), now)
    if {name: sha256(data).hexdigest() for name, data in files.items()} != record.content["inputs"]["weights"]:
        raise NotJudged(f"the weights are not those of record {record.seq}: judge again before publishing")
    return Tonight(record, files, bool(home.read_section("verdict").get("repeated")))


def _target() -> str:
    from pipelines.training.candidates import TARGET

    return TARGET


def _gate(record: Record, settings: Settings) -> dict[str, Any]:
    """Which bars were in use, whether anybody measured them, and since which record they are others."""
    home, policy = Home(settings.home), policy_of(settings)
    told = measured(policy, home)
    before = [one for one in Records(home).all() if one.seq < record.seq and "inputs" in one.content]
    changed = before[-1].seq if before and before[-1].content["inputs"]["policy"] != \
        record.content["inputs"]["policy"] else None
    return {"preset": policy.name, "calibrated": told is not None, "calibration": in_words(told),
            "changed_since_record": changed}


def verdict_section(tonight: Tonight, settings: Settings, oracle_sharpe: float | None) -> dict[str, Any]:
    """The section `verdict` of tonight's story."""
    content: Mapping[str, Any] = tonight.record.content
    verdict = content["verdict"]
    if tonight.record.act == "propose":
        waits = (f"Every bar is passed, and a person decides: `nightdesk models approve {tonight.record.seq}` or "
                 "`reject`.")
        verdict = {**verdict, "act": "propose", "promoted": False, "reasons": [waits, *verdict["reasons"]]}
    elif tonight.record.act in GRANTS:
        verdict = {**verdict, "act": tonight.record.act, "promoted": True}
    if tonight.searched:
        verdict = {**verdict, "reasons": [tonight.searched, *verdict["reasons"]]}
    return {**verdict, "searched": tonight.searched, "attempted": content["attempted"], "strategy": content["strategy"],
            "key": content["key"], "card": content.get("card"), "trials_n": content["ledger"]["n"],
            "record_seq": tonight.record.seq,
            "gate": _gate(tonight.record, settings),
            "signal": settings.sandbox.signal if settings.source == "sandbox" else None,
            "oracle_sharpe": oracle_sharpe, "repeated": tonight.repeated}
