"""What all acts so far amount to in one slot: who holds it, what may serve, and what waits for a person."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.evidence.records import GRANTS, Record

ACTS = (*GRANTS, "propose", "reject", "rollback", "demote", "kill", "reset")


@dataclass(frozen=True)
class Standing:
    champion: Record | None = None  # the judged record behind what holds the slot
    permitted: frozenset[str] = frozenset()  # digests of the records whose bundles may serve
    killed: Record | None = None  # the act that stopped the slot, until it is reset
    proposal: Record | None = None  # judged good enough, and waiting for a person

    def may_serve(self, evidence_digest: str) -> bool:
        return self.killed is None and evidence_digest in self.permitted

    def after(self, record: Record, judged: dict[str, Record]) -> "Standing":
        """The slot once this act is written down."""
        act, digest = record.act, record.content_digest
        if act in GRANTS:
            waits = self.proposal if act == "refresh" else None  # a person may take longer than a night
            return Standing(record, self.permitted | {digest}, self.killed, waits)
        if act == "propose":
            return Standing(self.champion, self.permitted, self.killed, record)
        if act == "reject":  # by a later search or by a person: what waited no longer does
            waits = self.proposal if record.content.get("attempted") == "refresh" else None
            return Standing(self.champion, self.permitted, self.killed, waits)
        if act == "rollback":
            # What is rolled back from stays permitted: a kill before the pointer moved must not leave the slot empty,
            # and a runner that took the higher number never goes back.
            target = judged[str(record.content["names"]["record"])]
            return Standing(target, self.permitted | {target.content_digest}, self.killed)
        if act == "demote":
            return Standing(None, frozenset(), self.killed)
        if act == "kill":
            return Standing(self.champion, self.permitted, record)
        if act == "reset":
            return Standing(self.champion, self.permitted, None)
        return self


def standing(records: Sequence[Record], slot: str) -> Standing:
    """`records` in their order, all of them."""
    held, judged = Standing(), {}
    for record in records:
        judged[record.content_digest] = record
        if record.content["slot"] == slot:
            held = held.after(record, judged)
    return held
