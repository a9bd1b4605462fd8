"""The account seen from outside: JSON documents, metrics, one page, and the kill switch. Imported only to serve."""

import asyncio
import datetime as dt
import logging
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import FastAPI, Path, Query, Request, Response, WebSocket
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.websockets import WebSocketDisconnect

from live import canonical, documents
from live.alerts import Alerter
from live.docs_page import docs_html
from live.gatekeeper import PROTOCOL
from live.journal import JournalBroken, JournalUnwritable
from live.killing import throw
from live.metrics import exposition
from live.page import content_security_policy, html
from live.passport import NoSuchId, passport
from live.risk import KillMode
from live.stream import Events, JournalEvents, pour, spoken
from live.view import View

log = logging.getLogger(__name__)
REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": documents.Problem, "description": told} for status, told in (
        (400, "The body is not text"),
        (401, "No token, or a wrong one"), (403, "A foreign Host or Origin"), (408, "The body did not arrive in time"),
        (413, "The body is too long"), (429, "Too many requests"), (503, "The journal cannot be read just now"))}
REFUSALS[422] = {"model": documents.Malformed, "description": "What of the request could not be understood"}
ABOUT = """The account on this machine. Every request needs `Authorization: Bearer TOKEN`; `serve` prints where the
token is. Nothing but `POST /kill` changes anything. `GET /stream` is a web socket: offer the protocols `nightdesk.v1`
and `nightdesk.token.TOKEN`; each message is a list of events, each with its number `n`; `?since=N` takes up after
one, `?last=N` begins with so many that were, `?bars=false` leaves bars out."""


@dataclass(frozen=True)
class Account:
    """What one server shows: a view of the journal, and what a passport is recomputed from."""

    view: View
    bundles: FilePath | None
    keys: Sequence[bytes]
    now: Callable[[], dt.datetime]
    events: Events | None = None  # of the runner in this process; else the journal's rows as they are committed
    alerter: Alerter | None = None


class Kill(BaseModel):
    """`halt` cancels everything and sends nothing; `flatten` sells down to nothing first. Both stay until a reset."""

    model_config = ConfigDict(extra="forbid")
    mode: KillMode
    reason: str = Field(default="", max_length=200)


def _document(value: Any, status: int = 200) -> Response:
    return Response(canonical.text(spoken(value)), status, media_type="application/json")


def _answers(model: Any, **more: Any) -> dict[int | str, dict[str, Any]]:
    """What a path may answer: its document, or a plain word about why not."""
    return {200: {"model": model, "description": (model.__doc__ or model.__name__).strip()}, **REFUSALS, **{
        int(status.removeprefix("_")): told for status, told in more.items()}}


def make_app(account: Account) -> FastAPI:
    """The application behind the gatekeeper; `serving.guarded` puts the two together."""
    app = FastAPI(title="Nightdesk live", version="1", docs_url=None, redoc_url=None, description=ABOUT)
    view = account.view
    events = account.events or JournalEvents(view)

    @app.exception_handler(RequestValidationError)
    def malformed(_: Request, error: RequestValidationError) -> Response:
        """What is wrong and where; what was sent is not repeated, as it may not even be text."""
        told = [{"where": [str(part) for part in one["loc"]], "what": one["msg"]} for one in error.errors()]
        return _document({"detail": told}, 422)

    @app.exception_handler(sqlite3.Error)
    @app.exception_handler(JournalUnwritable)  # what a passport's walk along the chain says of a file that is locked
    @app.exception_handler(JournalBroken)
    def unreadable(_: Request, error: Exception) -> Response:
        log.warning("the journal could not be read: %s", error)
        return _document({"detail": "the journal cannot be read just now"}, 503)

    @app.get("/", include_in_schema=False)
    def live_page() -> Response:
        return Response(html(), media_type="text/html",
                        headers={"content-security-policy": content_security_policy()})

    @app.get("/docs", include_in_schema=False)
    def docs() -> Response:
        page, policy = docs_html(app.openapi())
        return Response(page, media_type="text/html", headers={"content-security-policy": policy})

    @app.get("/favicon.ico", include_in_schema=False)
    def icon() -> Response:
        return Response(status_code=204)

    @app.get("/status", responses=_answers(documents.Status))
    def status() -> Response:
        """State, switch, equity, counts of the last session, and what happened lately."""
        return _document(view.status())

    @app.get("/positions", responses=_answers(documents.Positions))
    def positions() -> Response:
        """What is held, largest long first."""
        return _document(view.positions())

    @app.get("/pnl", responses=_answers(documents.Pnl))
    def pnl() -> Response:
        """Every session's profit and costs, in dollars."""
        return _document(view.pnl())

    @app.get("/decisions", responses=_answers(documents.Decisions))
    def decisions(count: Annotated[int, Query(ge=1, le=50)] = 1) -> Response:
        """The newest decisions, each name with its reason and what became of it."""
        return _document(view.decisions(count))

    @app.get("/limits", responses=_answers(documents.LimitsUsed))
    def limits() -> Response:
        """Every limit that is set, and how much of it is used up."""
        return _document(view.used())

    @app.get("/bundle", responses=_answers(documents.MaybeBundle))
    def bundle() -> Response:
        """The bundle that was last taken up; null before the first."""
        return _document(view.bundle())

    @app.get("/signals", responses=_answers(documents.Signals))
    def signals() -> Response:
        """What was not traded, executed in thought; and challengers that decide beside the champion."""
        return _document(view.signals())

    @app.get("/alerts", responses=_answers(documents.Alerts))
    def alerts() -> Response:
        """What a person was told lately, newest first; empty where another process trades."""
        recent = list(account.alerter.recent) if account.alerter else []
        return _document([asdict(one) for one in reversed(recent)])

    @app.get("/passport/{id}", responses=_answers(documents.Passport, _404={
        "model": documents.Problem, "description": "No such order or decision"}))
    def explain(id: Annotated[str, Path(pattern=r"^[od]-[0-9a-f]{20}$")]) -> Response:
        """Everything behind one order or decision, recomputed from the bundle's own bytes."""
        if account.bundles is None or not view.journal.exists():
            return _document({"detail": "started without --bundle and --keys, or nothing was traded yet"}, 404)
        try:
            return _document(passport(view.journal, id, account.bundles, account.keys))
        except NoSuchId as problem:
            return _document({"detail": str(problem)}, 404)

    @app.post("/kill", responses=_answers(documents.Thrown, _507={
        "model": documents.Problem, "description": "The kill file could not be written"}))
    def kill(order: Kill) -> Response:
        """Throw the kill switch. Leaving it is a person's act at the machine: remove the file, then reset."""
        words = " ".join("".join(c if c.isprintable() and c.isascii() else " " for c in order.reason).split())
        by = f"API: {words}" if words else "API"
        try:
            journaled = throw(view.kill_file, view.journal, order.mode, by, account.now())
        except OSError as problem:
            log.error("the kill file could not be written: %s", problem)
            return _document({"detail": f"the kill file could not be written: {problem.strerror}"}, 507)
        return _document({"thrown": True, "mode": order.mode, "journaled": journaled, "file": view.kill_file.name})

    @app.get("/metrics", response_class=Response, responses={**REFUSALS, 200: {
        "content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus text"}})
    def metrics() -> Response:
        """Prometheus text."""
        body, kind = exposition(view, account.alerter)
        return Response(body, headers={"content-type": kind})

    @app.websocket("/stream")
    async def stream(socket: WebSocket, since: Annotated[int | None, Query(ge=0)] = None,
                     last: Annotated[int, Query(ge=0, le=500)] = 0, bars: bool = True) -> None:
        await socket.accept(subprotocol=PROTOCOL if PROTOCOL in socket.scope["subprotocols"] else None)
        gone = asyncio.Event()

        async def listen() -> None:
            """A watcher has nothing to say; whatever it says, it is heard and forgotten, until it leaves."""
            while (await socket.receive())["type"] != "websocket.disconnect":
                pass
            gone.set()

        listening = asyncio.create_task(listen())
        try:
            await pour(events, since, socket.send_text, gone, last=last, bars=bars)
        except (TimeoutError, WebSocketDisconnect, OSError, RuntimeError):
            pass  # it left, or does not read
        except sqlite3.Error as error:
            log.warning("the journal could not be read: %s", error)
        finally:
            listening.cancel()
            with suppress(WebSocketDisconnect, RuntimeError, OSError):
                await socket.close(1013)

    return app
