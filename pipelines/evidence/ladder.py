"""Where the champion stands on the ladder, what the next rung asks of it, and the act that lets it climb.

Candidate → Validated → Shadow → Canary → Champion → Retired. The gate answers the first two; here begins what only time
can answer. A climb is a record of its own, with its evidence and with what would end it written down beforehand."""

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from models import bundle, tensors
from models.manifest import canonical
from models.validation import rungs
from models.validation.evidence import Check
from models.validation.rungs import Fresh, Lived, RungPolicy
from pipelines.evidence import keys, publish
from pipelines.evidence.decay import let_through
from pipelines.evidence.judged import SLOT, JudgedNight
from pipelines.evidence.ledger import Ledger
from pipelines.evidence.lived import fresh, lived, profits
from pipelines.evidence.records import Record, Records
from pipelines.evidence.standing import Standing, standing
from pipelines.home import Home
from pipelines.settings import Settings

SERIES, TOLD = "lived.safetensors", "lived.json"


@dataclass(frozen=True)
class Climb:
    """A question to the ladder: from which rung to which, on what, and every answer."""

    champion: Record
    held: str
    to: str
    asks: RungPolicy
    lived: Lived
    fresh: Fresh

    @property
    def checks(self) -> tuple[Check, ...]:
        return rungs.climb_checks(self.lived, self.fresh, self.asks)

    @property
    def passed(self) -> bool:
        return all(one.passed for one in self.checks)

    def to_files(self) -> dict[str, bytes]:
        arrays = {"returns": self.lived.returns, "repeated": self.lived.repeated, "slippage": self.lived.slippage,
                  "active": self.fresh.active}
        told = {"sessions": list(self.lived.sessions), "orders": self.lived.orders, "refused": self.lived.refused,
                "daily_volatility": self.fresh.daily_volatility, "expected_sharpe": self.fresh.expected_sharpe,
                "registered": self.fresh.registered}
        return {SERIES: tensors.write({name: np.ascontiguousarray(one) for name, one in arrays.items()}),
                TOLD: canonical(told)}

    def plan(self) -> dict[str, Any]:
        """How the rung is to be walked, and what ends it: fixed before its first order."""
        above = rungs.next_rung(self.to)
        return {"capital_share": self.asks.capital_share,
                "stop_loss_by_session": [round(rungs.loss_bound(count, self.fresh.daily_volatility), 6)
                                         for count in (1, 5, 10, 20, 60)],
                "loss_is_a_share_of": "what it trades", "next_rung": above, "watched_by": "decay's CUSUM, every night"}


def asked(home: Home, settings: Settings, night: JudgedNight) -> Climb | None:
    """What the next rung asks tonight; None where nobody holds the slot or nothing is above."""
    from pipelines.training.candidates import TARGET

    records = Records(home)
    held = standing(records.all(), SLOT)
    champion, to = held.champion, rungs.next_rung(held.rung)
    if champion is None or to is None or champion.content["key"] not in {one["key"] for one in night.candidates}:
        return None
    key = str(champion.content["key"])
    past = lived(home, key, held.rung, _turned_down(records, key))
    return Climb(champion, held.rung, to, rungs.rung(settings.gate.preset, to), past,
                 fresh(home, champion, night, TARGET))


def _turned_down(records: Records, key: str) -> str:
    """The day a person last said no to a climb of this configuration: sessions count anew from there."""
    proposed = {one.content_digest for one in records.all()
                if one.content.get("attempted") == "climb" and one.content.get("key") == key}
    return max((one.recorded_at[:10] for one in records.all()
                if one.content.get("names", {}).get("rejects") in proposed), default="")


def content_of(climb: Climb, act: str, settings: Settings, ledger: Ledger) -> dict[str, Any]:
    champion = climb.champion.content
    return {
        "act": act, "attempted": "climb", "slot": SLOT, "strategy": champion["strategy"], "key": champion["key"],
        "from": climb.held, "rung": climb.to, "names": {"record": climb.champion.content_digest},
        "asked": asdict(climb.asks), "policy": settings.gate.preset, "plan": climb.plan(),
        "checks": [asdict(one) for one in climb.checks],
        "ledger": {"n": champion["ledger"]["n"], "head": ledger.head},
    }


def recomputed(record: Record) -> list[dict[str, Any]]:
    """The checks of a climb, from nothing but its record and the evidence that it names."""
    import json

    told, arrays = json.loads(record.evidence(TOLD)), tensors.read(record.evidence(SERIES))
    past = Lived(tuple(told["sessions"]), arrays["returns"], arrays["repeated"], arrays["slippage"], told["orders"],
                 told["refused"])
    since = Fresh(arrays["active"], told["daily_volatility"], told["expected_sharpe"], told["registered"])
    return [asdict(one) for one in rungs.climb_checks(past, since, RungPolicy(**record.content["asked"]))]


def step(home: Home, settings: Settings, night: JudgedNight, now: dt.datetime) -> dict[str, Any]:
    """Ask the next rung, let the champion climb or lose its slot where the policy says so; the section `ladder`."""
    records, ours = Records(home), keys.open_or_create(home.keys)
    climb = asked(home, settings, night)
    acted = None
    if climb is not None and climb.passed and standing(records.all(), SLOT).killed is None:
        waits = climb.to in settings.approval.rungs
        if not (waits and _waiting(records, climb)):
            content = content_of(climb, "propose" if waits else "climb", settings, Ledger(home.ledger))
            acted = records.append(content, climb.to_files(), now, ours)
    elif (lost := _lost(home, settings, records)) is not None:
        acted = records.append(lost, {}, now, ours)
    held = standing(records.all(), SLOT)
    settle(home, held, now)
    return {**told(climb, held, settings), "acted": acted.act if acted else None,
            "record_seq": acted.seq if acted else None}


def _waiting(records: Records, climb: Climb) -> bool:
    proposal = standing(records.all(), SLOT).proposal
    return proposal is not None and proposal.content.get("rung") == climb.to


def _lost(home: Home, settings: Settings, records: Records) -> dict[str, Any] | None:
    """The act that takes the slot from its champion, where the preset has such a rule and it is broken."""
    rule, champion = rungs.demotion(settings.gate.preset), records.champion(SLOT)
    if rule is None or champion is None:
        return None
    brought = let_through(records) or champion
    decay = home.read_section("decay")
    checks = [rungs.demotion_check(profits(home, brought.recorded_at), rule), *rungs.unwell_checks(
        sorted(home.read_section("drift").get("alarms") or ()), decay["plain"] if decay.get("alarm") else None, rule)]
    failed = [one for one in checks if not one.passed]
    if not failed:
        return None
    return {"act": "demote", "slot": SLOT, "strategy": champion.content["strategy"], "key": champion.content["key"],
            "actor": f"preset {settings.gate.preset}", "reason": " ".join(one.plain for one in failed),
            "checks": [asdict(one) for one in checks],
            "names": {"record": champion.content_digest},
            "ledger": {"n": champion.content["ledger"]["n"], "head": Ledger(home.ledger).head}}


def settle(home: Home, held: Standing, now: dt.datetime) -> None:
    """Let what serves say the rung that the records say; also ends an act that was killed before its bundle."""
    serving = bundle.current(home.bundles)
    if held.killed or held.champion is None:
        publish.withdraw(home)
    elif serving is not None:
        manifest = publish.manifest_of(serving)
        if manifest.evidence_digest == held.champion.content_digest and manifest.rung != held.rung \
                and manifest.expires >= now:
            publish.republish(home, serving, now, keys.open_or_create(home.keys), held.rung, held.share)


def told(climb: Climb | None, held: Standing, settings: Settings) -> dict[str, Any]:
    """The rung, what it asks next and what each rung can say, for the report, the graph and the command line."""
    preset = settings.gate.preset
    section: dict[str, Any] = {
        "rung": held.rung if held.champion else None, "preset": preset,
        "strategy": held.champion.content["strategy"] if held.champion else None,
        "rungs": [{"rung": name, "question": question, "cannot_say": blind,
                   **({"asks": asdict(rungs.rung(preset, name))} if name in ("canary", "champion") else {})}
                  for name, (question, blind) in rungs.QUESTIONS.items()],
        "waiting": held.proposal.seq if held.proposal else None, "next": None,
    }
    if climb is not None:
        section["next"] = {"rung": climb.to, "passed": climb.passed, "checks": [asdict(one) for one in climb.checks],
                           "capital_share": climb.asks.capital_share, "registered": climb.fresh.registered,
                           "sessions": list(climb.lived.sessions)}
    return section


def print_ladder(section: dict[str, Any]) -> None:
    for one in section["rungs"]:
        mark = ">" if one["rung"] == section["rung"] else " "
        print(f"{mark} {one['rung']:10} {one['question']}  (cannot say: {one['cannot_say']})")
    if section["waiting"]:
        print(f"record {section['waiting']} waits: `nightdesk models approve {section['waiting']}` or `reject`")
    above = section["next"]
    if above is None:
        print("Nobody holds the slot, or nothing is above." if section["rung"] in (None, "champion") else
              "Nothing was judged that the next rung could be asked about.")
        return
    print(f"{section['strategy']} -> {above['rung']} ({above['capital_share']:.0%} of the account):")
    for one in above["checks"]:
        print(f"  {'yes' if one['passed'] else 'no ':3} {one['plain']}")
