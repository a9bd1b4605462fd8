"""The account seen from outside: JSON documents, metrics, one page, and the kill switch. Imported only to serve."""

import datetime as dt
import logging
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import FastAPI, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field

from live import canonical
from live.killing import throw
from live.metrics import exposition
from live.page import content_security_policy, html
from live.passport import NoSuchId, passport
from live.risk import KillMode
from live.view import View

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Account:
    """What one server shows: a view of the journal, and what a passport is recomputed from."""

    view: View
    bundles: FilePath | None
    keys: Sequence[bytes]
    now: Callable[[], dt.datetime]


class Kill(BaseModel):
    """`halt` cancels everything and sends nothing; `flatten` sells down to nothing first. Both stay until a reset."""

    model_config = ConfigDict(extra="forbid")
    mode: KillMode
    reason: str = Field(default="", max_length=200)


def _document(value: Any, status: int = 200) -> Response:
    return Response(canonical.text(_spoken(value)), status, media_type="application/json")


def _spoken(value: Any) -> Any:
    """Any document as JSON can hold it."""
    if isinstance(value, float):
        return canonical.plain(value)
    if isinstance(value, dict):
        return {key: _spoken(one) for key, one in value.items()}
    return [_spoken(one) for one in value] if isinstance(value, (list, tuple)) else value


def make_app(account: Account) -> FastAPI:
    """The application behind the gatekeeper; `serving.guarded` puts the two together."""
    app = FastAPI(title="Nightdesk live", version="1", docs_url=None, redoc_url=None)
    view = account.view

    @app.exception_handler(RequestValidationError)
    def malformed(_: Request, error: RequestValidationError) -> Response:
        """What is wrong and where; what was sent is not repeated, as it may not even be text."""
        told = [{"where": [str(part) for part in one["loc"]], "what": one["msg"]} for one in error.errors()]
        return _document({"detail": told}, 422)

    @app.exception_handler(sqlite3.Error)
    def unreadable(_: Request, error: sqlite3.Error) -> Response:
        log.warning("the journal could not be read: %s", error)
        return _document({"detail": "the journal cannot be read just now"}, 503)

    @app.get("/", include_in_schema=False)
    def live_page() -> Response:
        return Response(html(), media_type="text/html",
                        headers={"content-security-policy": content_security_policy()})

    @app.get("/favicon.ico", include_in_schema=False)
    def icon() -> Response:
        return Response(status_code=204)

    @app.get("/status")
    def status() -> Response:
        """State, switch, equity, counts of the last session, and what happened lately."""
        return _document(view.status())

    @app.get("/positions")
    def positions() -> Response:
        """What is held, largest long first."""
        return _document(view.positions())

    @app.get("/pnl")
    def pnl() -> Response:
        """Every session's profit and costs, in dollars."""
        return _document(view.pnl())

    @app.get("/decisions")
    def decisions(count: Annotated[int, Query(ge=1, le=50)] = 1) -> Response:
        """The newest decisions, each name with its reason and what became of it."""
        return _document(view.decisions(count))

    @app.get("/limits")
    def limits() -> Response:
        """Every limit that is set, and how much of it is used up."""
        return _document(view.used())

    @app.get("/bundle")
    def bundle() -> Response:
        """The bundle that was last taken up; null before the first."""
        return _document(view.bundle())

    @app.get("/passport/{id}", responses={404: {"description": "No such order or decision"}})
    def explain(id: Annotated[str, Path(pattern=r"^[od]-[0-9a-f]{20}$")]) -> Response:
        """Everything behind one order or decision, recomputed from the bundle's own bytes."""
        if account.bundles is None or not view.journal.exists():
            return _document({"detail": "started without --bundle and --keys, or nothing was traded yet"}, 404)
        try:
            return _document(passport(view.journal, id, account.bundles, account.keys))
        except NoSuchId as problem:
            return _document({"detail": str(problem)}, 404)

    @app.post("/kill", responses={507: {"description": "The kill file could not be written"}})
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

    @app.get("/metrics", response_class=Response)
    def metrics() -> Response:
        """Prometheus text."""
        body, kind = exposition(view)
        return Response(body, headers={"content-type": kind})

    return app
