"""What a person decides about a slot: each a signed record with who and why, and then what it means for live.

The record comes first; the same command again finishes what was killed in between."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models import bundle
from pipelines.evidence import keys, publish
from pipelines.evidence.judged import SLOT
from pipelines.evidence.ledger import Ledger
from pipelines.evidence.package import publish_night
from pipelines.evidence.records import Record, Records
from pipelines.evidence.standing import Standing, standing
from pipelines.home import Home
from pipelines.settings import Settings

# What no person may wave through: these say that the figures themselves cannot be believed.
NEVER_OVERRIDDEN = frozenset({"leak", "parity", "structure", "ledger", "feature_range"})
LONGEST_OVERRIDE = dt.timedelta(days=31)


class NotPossible(ValueError):
    """An act that the slot's state does not allow, and what it does."""


class Acts:
    """The acts on one slot, by one person, at one moment."""

    def __init__(self, home: Home, actor: str, reason: str, now: dt.datetime, slot: str = SLOT) -> None:
        if not actor.strip() or not reason.strip():
            raise NotPossible("say who acts and why: --actor and --reason are kept with the act")
        self.home, self.actor, self.reason, self.now, self.slot = home, actor.strip(), reason.strip(), now, slot
        self.records = Records(home)
        self.keys = keys.open_or_create(home.keys)
        self.records.verify(self.keys.trusted)  # nothing is built on a chain that does not hold
        self.records.finish()

    def held(self) -> Standing:
        return standing(self.records.all(), self.slot)

    def _write(self, act: str, about: Record | None, names: Mapping[str, Any],
               judged: Mapping[str, Any] | None = None) -> Record:
        """`judged` is the whole content of a judgement that a person now lets through; it keeps its evidence."""
        ledger = Ledger(self.home.ledger)
        told = {name: value for name, value in (judged or {}).items() if name != "evidence"}
        if judged is None:
            told = {"slot": self.slot, "strategy": about.content["strategy"] if about else "none",
                    "key": about.content["key"] if about else None}
            told["ledger"] = {"n": _trials(ledger), "head": ledger.head}
        content = {**told, "act": act, "actor": self.actor, "reason": self.reason, "names": dict(names)}
        last = self.records.last()
        if last is not None and {name: last.content.get(name) for name in content} == content:
            self.records.write_anchor(last)
            return last  # this very act: only what comes after it is left to do
        evidence = {name: about.evidence(name) for name in judged["evidence"]} if judged and about else {}
        return self.records.append(content, evidence, self.now, self.keys)

    def approve(self, seq: int | None) -> Record:
        """Let a proposal through. The act carries the proposal's whole content, so that it stands for itself."""
        waiting, last = self.held().proposal, self.records.last()
        if waiting is None and last is not None and "approves" in last.content.get("names", {}):
            return last
        if waiting is None or seq not in (None, waiting.seq):
            raise NotPossible(f"record {waiting.seq} waits, not {seq}" if waiting else "no proposal waits for approval")
        act = "climb" if waiting.content.get("attempted") == "climb" else "promote"
        return self._write(act, waiting, {"approves": waiting.content_digest}, waiting.content)

    def reject(self, seq: int | None) -> Record:
        """Turn a proposal down: what held the slot keeps it."""
        waiting = self.held().proposal
        if waiting is None or seq not in (None, waiting.seq):
            raise NotPossible(f"record {waiting.seq} waits, not {seq}" if waiting else "no proposal waits for approval")
        return self._write("reject", waiting, {"rejects": waiting.content_digest})

    def override(self, until: dt.datetime) -> Record:
        """Let the last judgement through although a bar of skill refused it, for a stated time, on paper."""
        last, newest = self.records.judged(), self.records.last()
        if last is None or last.act not in ("reject", "override") or last.content["attempted"] != "promote":
            raise NotPossible("only a search's refusal can be overridden, and the last judgement is none")
        if last.act == "override" and newest is not None and newest.seq == last.seq:
            return last
        failed = {one["name"] for one in last.content["verdict"]["checks"] if not one["passed"]}
        if failed & NEVER_OVERRIDDEN or "sessions_judged" in failed:
            raise NotPossible(f"nobody may override {', '.join(sorted(failed))}: its figures cannot be believed")
        if not self.now < until <= self.now + LONGEST_OVERRIDE:
            raise NotPossible(f"an override ends within {LONGEST_OVERRIDE.days} days of now")
        judged = {**last.content, "until": until.isoformat()}
        return self._write("override", last, {"overrides": last.content_digest, "bars": sorted(failed)}, judged)

    def rollback(self, to: int | None = None) -> tuple[Record, Path | None]:
        """Back to an older bundle, under a new number. An expired one is not served as it is: its configuration holds
        the slot, and the next night fits it anew."""
        folder, names = self._target(to)
        by_digest = {record.content_digest: record for record in self.records.all()}
        record = self._write("rollback", by_digest[str(names["record"])], names)
        if self.held().killed:
            return record, None
        if publish.manifest_of(folder).expires < self.now:
            publish.withdraw(self.home)
            return record, None
        return record, publish.republish(self.home, folder, self.now, self.keys, self.held().rung,
                                          self.held().share)

    def _target(self, to: int | None) -> tuple[Path, dict[str, Any]]:
        """The bundle to go back to, as the act names it: by number, or the newest before the champion's."""
        last, held = self.records.last(), self.held()
        if last is not None and last.act == "rollback" and (to is None or last.content["names"]["bundle_seq"] == to) \
                and not self._finished(last):
            names = dict(last.content["names"])
            return self.home.bundles / str(names["folder"]), names
        holder = held.champion.content_digest if held.champion else None
        found = [(folder, publish.manifest_of(folder)) for folder in publish.published(self.home)]
        # Older than the champion's first bundle: to go back twice is to go back further, not forth.
        first = min((told.seq for _, told in found if told.evidence_digest == holder), default=len(found) + 1)
        allowed = [(folder, told) for folder, told in found
                   if told.slot == self.slot and told.evidence_digest in held.permitted
                   and (told.seq == to if to is not None else told.seq < first)]
        if not allowed:
            raise NotPossible(f"no bundle {to} that a record still lets serve" if to is not None
                              else "there is no older bundle to go back to")
        folder, told = allowed[-1]
        return folder, {"record": told.evidence_digest, "bundle_digest": told.digest, "bundle_seq": told.seq,
                        "folder": folder.name, "replaces": holder}

    def _finished(self, rollback: Record) -> bool:
        """Whether live already reads what this act named."""
        serving = bundle.current(self.home.bundles)
        return serving is not None and publish.manifest_of(serving).digest == rollback.content["names"]["bundle_digest"]

    def demote(self) -> Record:
        """Nobody holds the slot: live goes flat, and the next night searches."""
        champion, last = self.held().champion, self.records.last()
        if champion is None and not (last is not None and last.act == "demote"):
            raise NotPossible("nobody holds the slot")
        record = last if champion is None and last is not None else \
            self._write("demote", champion, {"record": champion.content_digest if champion else None})
        publish.withdraw(self.home)
        return record

    def kill(self) -> Record:
        """Stop the slot until it is reset: nothing serves, and no night publishes."""
        held = self.held()
        record = held.killed or self._write("kill", held.champion, {"withdrew": self._serving_name()})
        publish.withdraw(self.home)
        return record

    def _serving_name(self) -> str | None:
        serving = bundle.current(self.home.bundles)
        return serving.name if serving else None

    def reset(self) -> tuple[Record, Path | None]:
        """End a kill. The bundle that it took away serves again where it still may."""
        held, last = self.held(), self.records.last()
        if held.killed is None and not (last is not None and last.act == "reset"):
            raise NotPossible("the slot was not stopped")
        record = last if held.killed is None and last is not None else \
            self._write("reset", held.champion, {"ends": held.killed.content_digest if held.killed else None,
                                                 "restores": self._newest_of(held)})
        name = record.content["names"]["restores"]
        if name is None or publish.manifest_of(self.home.bundles / name).expires < self.now:
            return record, None
        publish.point_to(self.home, self.home.bundles / name)
        return record, self.home.bundles / name

    def _newest_of(self, held: Standing) -> str | None:
        """The newest bundle, if it is the champion's."""
        folders = publish.published(self.home)
        if not folders or held.champion is None:
            return None
        ours = publish.manifest_of(folders[-1]).evidence_digest == held.champion.content_digest
        return folders[-1].name if ours else None


def publish_judged(home: Home, settings: Settings, now: dt.datetime) -> dict[str, Any]:
    """Make the bundle of what was just let through, from what the night left behind; the section `bundle`."""
    from pipelines.evidence.judge import last_verdict
    from pipelines.training import inputs

    told = inputs.load(home)
    try:
        judged = last_verdict(home, settings, told, now)
    except LookupError as later:  # approved after another night: its weights know too little of the market by now
        section: dict[str, Any] = {"published": False, "why": f"Nothing published yet: {later}; the next night does."}
    else:
        section = publish_night(home, told, judged, now)
    home.write_section("bundle", section)
    return section


def publish_climb(acts: Acts) -> dict[str, Any]:
    """The serving bundle again, on the rung that was just approved; what became of it."""
    from pipelines.evidence.ladder import settle

    settle(acts.home, acts.held(), acts.now)
    serving = publish.check_serving(acts.home)
    if serving is None:
        return {"published": False, "why": "Nothing serves now; the next bundle has the new rung."}
    return {"published": True, "path": str(serving.relative_to(acts.home.root)),
            "rung": publish.manifest_of(serving).rung}


def _trials(ledger: Ledger) -> int:
    from pipelines.training.candidates import TARGET

    return ledger.n(TARGET)
