"""What a person decides about models, each signed: approve, reject, roll back, demote, kill, reset, override."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines import settings as settings_module
from pipelines.commands.options import HomeOption, JsonOption, NowOption, emit, home_of, overrides
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pipelines.evidence.acts import Acts
    from pipelines.evidence.records import Record

Reason = Annotated[str, typer.Option(help="Why; kept in the record")]
Actor = Annotated[str, typer.Option(help="Who; kept in the record")]
WhichRecord = Annotated[int | None, typer.Argument(help="The proposal's record. Default: the one that waits")]
SESSIONS_END = dt.time(23, 59, tzinfo=dt.UTC)


@contextmanager
def _acting(home: Path | None, actor: str, reason: str, now: dt.datetime | None) -> Iterator[tuple["Acts", Settings]]:
    """The acts on a home that nobody else writes. The sandbox's moment is its last night's."""
    from pipelines import night
    from pipelines.evidence.acts import Acts

    desk, settings = home_of(home), settings_module.load(overrides(home, now=now))
    with desk.lock():
        if settings.now is not None:
            moment = settings.now.astimezone(dt.UTC)
        elif settings.source == "sandbox":
            moment = night.current(desk)
        else:
            moment = dt.datetime.now(dt.UTC).replace(microsecond=0)
        yield Acts(desk, actor, reason, moment), settings
        if settings.publish.mirror:  # runners elsewhere are to see the act too
            from pipelines.evidence.mirror import mirror

            mirror(desk, settings.publish.mirror)


def _tell(record: "Record", json_: bool, words: str, **more: Any) -> None:
    told = {"record": record.seq, "act": record.act, "strategy": record.content["strategy"],
            "actor": record.content["actor"], "reason": record.content["reason"], **more, "words": words}
    emit(told, json_, lambda one: print(f"record {one['record']}: {one['act']} {one['strategy']}. {one['words']}"))


def approve(seq: WhichRecord = None, *, reason: Reason, actor: Actor, home: HomeOption = None, now: NowOption = None,
            json_: JsonOption = False) -> None:  # fmt: skip
    """Let a proposal through: of another configuration for the slot, or of a climb to the next rung.

    The nightly's report says what waits and why. What is approved is published at once, and the act, with who and why,
    is signed into the chain: `nightdesk models approve 12 --actor ann --reason "read the page"`.
    """
    from pipelines.evidence.acts import publish_climb, publish_judged

    with _acting(home, actor, reason, now) as (acts, settings):
        record = acts.approve(seq)
        section = publish_climb(acts) if record.act == "climb" else publish_judged(acts.home, settings, acts.now)
    _tell(record, json_, section.get("path") or section["why"], bundle=section)


def reject(seq: WhichRecord = None, *, reason: Reason, actor: Actor, home: HomeOption = None, now: NowOption = None,
           json_: JsonOption = False) -> None:  # fmt: skip
    """Turn a proposal down; what held the slot keeps it.

    A refused climb is proposed again after as many further sessions as its rung asks for; a refused configuration only
    when a later search finds it again on new data.
    """
    with _acting(home, actor, reason, now) as (acts, _):
        record = acts.reject(seq)
    _tell(record, json_, "What held the slot keeps it.")


def rollback(
    to: Annotated[int | None, typer.Argument(help="Number of the bundle. Default: the one before")] = None,
    *, reason: Reason, actor: Actor, home: HomeOption = None, now: NowOption = None, json_: JsonOption = False,
) -> None:  # fmt: skip
    """Back to an older bundle, signed anew under a higher number, so that no runner has to accept an older one.

    `nightdesk models list` has the numbers; without one it is the newest before the champion's. Live takes it up
    between two bars and tells the change of positions first. It comes back on the rung that it had.
    """
    with _acting(home, actor, reason, now) as (acts, _):
        record, folder = acts.rollback(to)
    words = f"{folder.name} serves." if folder else \
        "That bundle has expired or the slot is stopped: nothing serves until the next night fits it anew."
    _tell(record, json_, words, serving=folder.name if folder else None)


def demote(*, reason: Reason, actor: Actor, home: HomeOption = None, now: NowOption = None,
           json_: JsonOption = False) -> None:  # fmt: skip
    """Take the slot from its champion: live goes flat, and the next night searches."""
    with _acting(home, actor, reason, now) as (acts, _):
        record = acts.demote()
    _tell(record, json_, "Nobody holds the slot.")


def kill(*, reason: Reason, actor: Actor, home: HomeOption = None, now: NowOption = None,
         json_: JsonOption = False) -> None:  # fmt: skip
    """Stop the slot: nothing serves and no night publishes until `reset`."""
    with _acting(home, actor, reason, now) as (acts, _):
        record = acts.kill()
    _tell(record, json_, "Nothing serves until `nightdesk models reset`.")


def reset(*, reason: Reason, actor: Actor, home: HomeOption = None, now: NowOption = None,
          json_: JsonOption = False) -> None:  # fmt: skip
    """End a kill; the bundle that it took away serves again where it still may."""
    with _acting(home, actor, reason, now) as (acts, _):
        record, folder = acts.reset()
    _tell(record, json_, f"{folder.name} serves again." if folder else "The next night decides what serves.",
          serving=folder.name if folder else None)


def override(
    until: Annotated[dt.datetime, typer.Option(formats=["%Y-%m-%d"], help="Last day, at most 31 days from now")],
    *, reason: Reason, actor: Actor, home: HomeOption = None, now: NowOption = None, json_: JsonOption = False,
) -> None:  # fmt: skip
    """Let the last judgement trade on paper although a bar of skill refused it, for a stated time."""
    from pipelines.evidence.acts import publish_judged

    with _acting(home, actor, reason, now) as (acts, settings):
        record = acts.override(dt.datetime.combine(until.date(), SESSIONS_END))
        section = publish_judged(acts.home, settings, acts.now)
    _tell(record, json_, section.get("path") or section["why"], bundle=section)


COMMANDS = (approve, reject, rollback, demote, kill, reset, override)
