"""Alerts by e-mail: one connection a message, with TLS unless the server is this machine."""

import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage

from live.alerts import Alert
from live.secret import Secret

TIMEOUT_S = 10.0


@dataclass(frozen=True)
class EmailSink:
    host: str
    port: int
    sender: str
    to: Sequence[str]
    starttls: bool = True
    user: str = ""
    password: Secret = Secret("")

    name = "email"

    def send(self, alert: Alert) -> None:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self.sender, ", ".join(self.to), alert.title
        message.set_content(f"{alert.text}\n\n{alert.at}\n")
        try:
            with smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_S) as server:
                if self.starttls:
                    server.starttls(context=ssl.create_default_context())
                if self.user:
                    server.login(self.user, self.password.reveal())
                server.send_message(message)
        except smtplib.SMTPException as problem:
            raise ConnectionError(f"the mail server refused: {type(problem).__name__}") from None
