"""The live page: three hand-written files put together as one document that allows itself nothing but itself."""

import base64
import hashlib
from functools import cache
from pathlib import Path

ASSETS = Path(__file__).with_name("assets")


@cache
def _part(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


@cache
def html() -> str:
    return _part("page.html").replace("/*STYLE*/", _part("page.css")).replace("/*SCRIPT*/", _part("page.js"))


@cache
def content_security_policy() -> str:
    """Only this style and this script, and requests to nowhere but here."""
    style, script = (base64.b64encode(hashlib.sha256(_part(name).encode()).digest()).decode()
                     for name in ("page.css", "page.js"))
    return (f"default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; connect-src 'self' "
            "ws://127.0.0.1:* ws://localhost:*; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
