"""One question to a vendor that is no friend, with a key that no message may show."""

from typing import Any

import pytest

from pipelines.vendors.hosts import Hosts
from pipelines.vendors.http import Ask, HttpTransport, VendorError

KEY = "sk/very secret+0123456789"


def transport(address: str, key: str = KEY, **more: Any) -> HttpTransport:
    patience = {"attempts": 2, "first_wait_s": 0.001, "quota_wait_s": 0.001, **more}
    return HttpTransport(Hosts(address, address, address, key, key), **patience)


def ask(path: str = "polygon/x.json", **more: Any) -> Ask:
    return Ask(more.pop("vendor", "polygon"), path, more.pop("target", "/x"), **more)


def refused(address: str, one: Ask | None = None, **more: Any) -> str:
    """What is said of a question that gets no answer."""
    with transport(address, **more) as http, pytest.raises(VendorError) as caught:
        http.ask(one or ask())
    said = str(caught.value)
    assert "\n" not in said and KEY not in said
    return said
