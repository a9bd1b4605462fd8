"""What all acts so far amount to in a slot: who holds it, on which rung, what may serve, what waits for a person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from models.validation.rungs import LADDER
from pipelines.evidence.records import GRANTS, Record

ACTS = (*GRANTS, "propose", "reject", "climb", "rollback", "demote", "kill", "reset")
LOWEST = LADDER[0]
BEGINNING = (LOWEST, 1.0)  # on paper, where a share of the account costs nobody anything


@dataclass(frozen=True)
class Standing:
    champion: Record | None = None  # the judged record behind what holds the slot
    permitted: Mapping[str, str] = field(default_factory=dict)  # digests of the records whose bundles may serve -> rung
    killed: Record | None = None  # the act that stopped the slot, until it is reset
    proposal: Record | None = None  # judged good enough, and waiting for a person
    rung: str = LOWEST  # how much money who holds the slot may use
    share: float = 1.0  # of the account, that it may use there
    reached: Mapping[str, tuple[str, float]] = field(default_factory=dict)  # configuration -> both, for a way back

    def may_serve(self, evidence_digest: str, rung: str = LOWEST) -> bool:
        """Whether a bundle behind this record, claiming this rung, may trade."""
        allowed = self.permitted.get(evidence_digest)
        return self.killed is None and allowed is not None and LADDER.index(rung) <= LADDER.index(allowed)

    def after(self, record: Record, judged: Mapping[str, Record]) -> "Standing":
        """The slot once this act is written down."""
        act = record.act
        if act in GRANTS:
            same = act == "refresh"  # new weights of who is there: its rung stays, and a person may take longer
            return self._held_by(record, (self.rung, self.share) if same else BEGINNING,
                                 self.proposal if same else None)
        if act == "propose":
            return replace(self, proposal=record)
        if act == "reject":
            return replace(self, proposal=self.proposal if _leaves_waiting(record, self.proposal) else None)
        if act == "climb" and self.champion is not None:
            share = float(record.content.get("asked", {}).get("capital_share", 1.0))
            return self._held_by(self.champion, (str(record.content["rung"]), share), None)
        if act == "rollback":
            # What is rolled back from stays permitted: a kill before the pointer moved must not leave the slot empty,
            # and a runner that took the higher number never goes back.
            target = judged[str(record.content["names"]["record"])]
            return self._held_by(target, self.reached.get(str(target.content.get("key")), BEGINNING), None)
        if act == "demote":
            return Standing(killed=self.killed)
        if act == "kill":
            return replace(self, killed=record, proposal=None)
        if act == "reset":
            return replace(self, killed=None)
        return self

    def _held_by(self, champion: Record, on: tuple[str, float], proposal: Record | None) -> "Standing":
        return Standing(champion, {**self.permitted, champion.content_digest: on[0]}, self.killed, proposal, *on,
                        {**self.reached, str(champion.content.get("key")): on})


def _leaves_waiting(reject: Record, proposal: Record | None) -> bool:
    """A refused refit, or a search that found nothing, says nothing of a proposal to climb; a person's word does."""
    if "rejects" in reject.content.get("names", {}):
        return False
    climbing = proposal is not None and proposal.content.get("attempted") == "climb"
    return climbing or reject.content.get("attempted") == "refresh"


def standing(records: Sequence[Record], slot: str) -> Standing:
    """`records` in their order, all of them."""
    held, judged = Standing(), {}
    for record in records:
        judged[record.content_digest] = record
        if record.content["slot"] == slot:
            held = held.after(record, judged)
    return held
