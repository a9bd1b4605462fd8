"""Alerts reach a person through real mail and web servers, once, in moderation, and never at the engine's expense."""

import json
import logging
import pickle
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from live.adapters.alerts_email import EmailSink
from live.adapters.alerts_webhook import WebhookSink
from live.alert_settings import DISCORD, PASSWORD, WEBHOOK, AlertsError, Rules, load
from live.alerts import Alert, Alerter
from live.secret import Secret
from tests.test_live.kept_alerts import Kept
from tests.test_live.test_running import until

ALERT = Alert("limit", "warning", "gross exposure has used 91% of its limit", "2025-06-26T14:00:00+00:00", "limit g")


@dataclass
class Mailbox:
    """Takes mail as aiosmtpd hands it over; refuses it while `refuse` is set."""

    letters: list[bytes] = field(default_factory=list)
    refuse: str = ""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.refuse:
            return self.refuse
        self.letters.append(envelope.content)
        return "250 taken"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def mail_server(box: Mailbox, **more: Any) -> Iterator[int]:
    server = Controller(box, hostname="127.0.0.1", port=free_port(), **more)
    server.start()
    try:
        yield server.port
    finally:
        server.stop()


@dataclass
class Web:
    """What was posted to a real HTTP server, which answers with `statuses` in turn and 204 from then on."""

    posts: list[tuple[str, Any]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    hold: threading.Event | None = None


@contextmanager
def web_server(web: Web) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if web.hold is not None:
                web.hold.wait(20)
            web.posts.append((self.path, json.loads(body)))
            self.send_response(web.statuses.pop(0) if web.statuses else 204)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_an_email_arrives_with_what_and_when() -> None:
    box = Mailbox()
    with mail_server(box) as port:
        EmailSink("127.0.0.1", port, "desk@example.org", ["a@example.org", "b@example.org"], starttls=False).send(ALERT)
    (letter,) = map(message_from_bytes, box.letters)
    assert letter["Subject"] == "Nightdesk warning: limit" and letter["To"] == "a@example.org, b@example.org"
    assert ALERT.text in letter.get_payload() and ALERT.at in letter.get_payload()


def test_a_login_is_made_and_its_failure_says_nothing_secret() -> None:
    box, seen = Mailbox(), []

    def known(server: Any, session: Any, envelope: Any, mechanism: str, given: LoginPassword) -> AuthResult:
        seen.append((given.login, given.password))
        return AuthResult(success=given.password == b"right canary", handled=False)

    with mail_server(box, authenticator=known, auth_require_tls=False) as port:
        sink = EmailSink("127.0.0.1", port, "d@example.org", ["a@example.org"], False, "desk", Secret("right canary"))
        sink.send(ALERT)
        with pytest.raises(ConnectionError, match="refused: SMTPAuthenticationError") as failed:
            replace(sink, password=Secret("wrong canary")).send(ALERT)
    assert len(box.letters) == 1 and "canary" not in f"{failed.value!r} {sink!r}" and failed.value.__cause__ is None
    assert {password for _, password in seen} == {b"right canary", b"wrong canary"}


def test_a_server_without_tls_is_not_told_the_password() -> None:
    seen: list[Any] = []

    def known(*told: Any) -> AuthResult:
        seen.append(told)
        return AuthResult(success=True)

    with mail_server(Mailbox(), authenticator=known, auth_require_tls=False) as port:
        sink = EmailSink("127.0.0.1", port, "d@example.org", ["a@example.org"], True, "desk", Secret("canary"))
        with pytest.raises(OSError):
            sink.send(ALERT)
    assert not seen


def test_discord_gets_its_own_format_and_pings_nobody() -> None:
    web = Web()
    with web_server(web) as url:
        long = replace(ALERT, text="@everyone " + "x" * 3000)
        WebhookSink(Secret(f"{url}/api/webhooks/1/canary"), "discord").send(long)
        WebhookSink(Secret(f"{url}/hook")).send(ALERT)
    (_, discord), (path, plain) = web.posts
    assert len(discord["content"]) == 2000 and discord["allowed_mentions"] == {"parse": []}
    assert path == "/hook" and plain == {"kind": "limit", "severity": "warning", "text": ALERT.text, "at": ALERT.at}


def test_the_address_of_a_webhook_is_in_no_log_and_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    web = Web(statuses=[204, 302, 500])
    with web_server(web) as url:
        sink = WebhookSink(Secret(f"{url}/canary"))
        sink.send(ALERT)
        for status in (302, 500):
            with pytest.raises(ConnectionError, match=f"answered {status}"):
                sink.send(ALERT)
    for gone in (url + "/canary", "http://[canary", "canary"):
        with pytest.raises(ConnectionError) as failed:
            WebhookSink(Secret(gone)).send(ALERT)
        assert "canary" not in repr(failed.value) and failed.value.__suppress_context__
    assert "/canary" not in caplog.text.replace("httpcore", "") and "canary" not in repr(sink)


def test_a_lasting_condition_is_told_once_in_a_while_and_at_once_when_it_gets_worse_or_comes_back() -> None:
    now, sink = [0.0], Kept()
    alerter = Alerter([sink], repeat_s=60.0, monotonic_s=lambda: now[0])
    assert [alerter.post(ALERT) for _ in range(5)] == [True, False, False, False, False]
    assert alerter.post(replace(ALERT, severity="critical"))
    now[0] = 61.0
    assert alerter.post(ALERT) and not alerter.post(ALERT)
    alerter.cleared(ALERT.key)
    assert alerter.post(ALERT)
    alerter.close()
    assert len(sink.got) == 4 and alerter.repeated == 5 and alerter.counts == {"limit": 4}


def test_a_flood_is_cut_but_never_what_is_critical() -> None:
    sink = Kept()
    alerter = Alerter([sink], per_minute=3.0, monotonic_s=lambda: 0.0)
    for i in range(10):
        alerter.post(replace(ALERT, key=f"k{i}"))
    until(lambda: len(sink.got) == 3)
    alerter.post(replace(ALERT, severity="critical"))
    alerter.close()
    assert [one.severity for one in sink.got] == ["warning"] * 3 + ["critical"] and alerter.undelivered() == {"kept": 7}


def test_a_sink_that_hangs_delays_neither_who_posts_nor_the_others() -> None:
    held, quick = Kept(hold=threading.Event()), Kept(name="quick")
    alerter = Alerter([held, quick], per_minute=1e6)
    posted = threading.Thread(target=lambda: [alerter.post(replace(ALERT, key=f"k{i}")) for i in range(200)])
    posted.start()
    posted.join(5)
    assert not posted.is_alive()
    until(lambda: len(quick.got) + alerter.undelivered()["quick"] == 200)
    assert len(held.got) == 0 and alerter.undelivered()["kept"] >= 149
    held.hold.set()  # type: ignore[union-attr]
    alerter.close()


def test_a_failed_delivery_is_tried_again_and_given_up_in_the_end(caplog: pytest.LogCaptureFixture) -> None:
    sink = Kept(failures=2)
    alerter = Alerter([sink], retry_s=0.001)
    alerter.post(ALERT)
    until(lambda: bool(sink.got))
    sink.failures = 9
    alerter.post(replace(ALERT, key="other"))
    until(lambda: alerter.undelivered() == {"kept": 1})
    alerter.close()
    assert "not delivered by kept (TimeoutError), try 3 of 3" in caplog.text


def test_a_mail_server_that_is_gone_does_not_end_anything() -> None:
    alerter = Alerter([EmailSink("127.0.0.1", free_port(), "a@example.org", ["b@example.org"], False)], retry_s=0.001)
    alerter.post(ALERT)
    until(lambda: alerter.undelivered() == {"email": 1})
    alerter.close()


def test_settings_name_sinks_and_rules_and_keep_secrets_in_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "alerts.toml"
    file.write_text('[rules]\nmemory_mb = 500\n[email]\nhost = "mail"\nsender = "a@b"\nto = ["c@d"]\nuser = "u"\n')
    rules, sinks = load(file, {PASSWORD: "canary", DISCORD: "https://canary", WEBHOOK: "https://canary"})
    assert rules == Rules(memory_mb=500) and [sink.name for sink in sinks] == ["log", "email", "discord", "webhook"]
    assert "canary" not in repr(sinks) and sinks[1].password.reveal() == "canary"  # type: ignore[attr-defined]
    with pytest.raises(TypeError):
        pickle.dumps(sinks)
    assert [sink.name for sink in load(None, {})[1]] == ["log"]
    for wrong, said in (("[email]\nhost='m'\n", "lacks sender, to"), ("[emial]\n", "no section is called emial"),
                        ("[rules]\nmemory=1\n", "knows no memory"), ("[email]\npassword='x'\n", PASSWORD)):
        file.write_text(wrong)
        with pytest.raises(AlertsError, match=said):
            load(file, {})
