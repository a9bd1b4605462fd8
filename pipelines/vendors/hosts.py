"""Where the vendors are and what opens them: addresses and keys from the environment, keys never shown."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import parse_qsl, quote, quote_plus, urlencode, urlsplit

# Polygon became Massive: either brand's next_url may name the other's host, and either brand's variable holds the key.
BRANDS = {"api.massive.com", "api.polygon.io"}
# The flat files have keys of their own, which sign what is asked and open nothing else.
S3_VARIABLES = (("MASSIVE_S3_ACCESS_KEY_ID", "POLYGON_S3_ACCESS_KEY_ID"),
                ("MASSIVE_S3_SECRET_ACCESS_KEY", "POLYGON_S3_SECRET_ACCESS_KEY"))  # fmt: skip
KEY_VARIABLES = {"polygon": ("MASSIVE_API_KEY", "POLYGON_API_KEY"), "cboe": (), "cme": ("DATABENTO_API_KEY",)}
SECRET_FROM = 12  # characters: any vendor's key has more


class VendorError(RuntimeError):
    """A vendor refused or failed; says who, what was asked, and the vendor's own words, never a key."""


class VendorClosed(VendorError):
    """It answers nobody with this key: another question would be refused alike."""


class VendorSilent(VendorError):
    """It cannot be reached, or said nothing but to come back later, through every attempt."""


class ForeignHost(VendorError):
    """A next page on a host that is not the vendor's: following it would hand over the key."""


@dataclass(frozen=True)
class Hosts:
    """Base addresses and keys of the three vendors."""

    polygon: str
    cboe: str
    databento: str
    polygon_key: str = field(repr=False)
    databento_key: str = field(repr=False)
    flatfiles: str = "https://files.massive.com"
    flatfiles_id: str = field(default="", repr=False)
    flatfiles_secret: str = field(default="", repr=False)
    cme_site: str = "https://www.cmegroup.com"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Hosts":
        """Both brands' variables and addresses are understood; a key that is not there is an empty one."""
        environment = {name: value.strip() for name, value in environment.items()}  # a file's last line end is no key
        massive = environment.get("MASSIVE_API_KEY", "")
        brand = "https://api.massive.com" if massive else "https://api.polygon.io"
        files_id, files_secret = (next((environment[name] for name in names if environment.get(name)), "")
                                  for names in S3_VARIABLES)  # fmt: skip
        return cls(
            polygon=environment.get("POLYGON_BASE_URL") or brand,
            cboe=environment.get("CBOE_BASE_URL", "https://cdn.cboe.com"),
            databento=environment.get("DATABENTO_BASE_URL", "https://hist.databento.com"),
            polygon_key=massive or environment.get("POLYGON_API_KEY", ""),
            databento_key=environment.get("DATABENTO_API_KEY", ""),
            flatfiles=environment.get("MASSIVE_S3_ENDPOINT") or environment.get("POLYGON_S3_ENDPOINT")
            or brand.replace("api.", "files."),
            flatfiles_id=files_id, flatfiles_secret=files_secret,
            cme_site=environment.get("CME_BASE_URL", "https://www.cmegroup.com"),
        )  # fmt: skip

    def base(self, vendor: str) -> str:
        """`cme_site` is the exchange's own page, which gets no key."""
        places = {"polygon": self.polygon, "cboe": self.cboe, "cme": self.databento, "cme_site": self.cme_site}
        return places[vendor].rstrip("/")

    def in_a_header(self, name: str) -> str:
        """The key, if a header can carry it: else a library would refuse it, and quote it."""
        key: str = getattr(self, name)
        if not (key.isascii() and key.isprintable()):
            raise VendorClosed(f"the {name.replace('_', ' ')} has a character that no key has, like a line's end or a "
                              "letter beyond ASCII: copy it into the environment again")  # fmt: skip
        return key

    def next_target(self, next_url: object) -> str | None:
        """Path and query of the next page on the vendor's own host, without whatever key it may carry. Another host is
        refused, and so is a path that does not begin with a slash, which would be read as a longer host's name."""
        if not isinstance(next_url, str) or not next_url:
            return None
        try:
            parts = urlsplit(next_url)
        except ValueError:
            raise ForeignHost("polygon's next_url is no address: not followed") from None
        if parts.netloc and parts.netloc.lower() not in BRANDS | {urlsplit(self.polygon).netloc.lower()}:
            raise ForeignHost(f"polygon's next_url names the foreign host {self.clean(parts.netloc)[:100]!r}: not "
                              "followed")  # fmt: skip
        if parts.scheme not in ("", "http", "https") or not parts.path.startswith("/"):
            raise ForeignHost(f"polygon's next_url {self.clean(next_url)[:100]!r} is no page of theirs: not followed")
        query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True)
                 if name.lower() != "apikey" and value not in self._keys()]  # fmt: skip
        return f"{parts.path}?{urlencode(query)}"

    def clean(self, text: str) -> str:
        """The text without any key, in whatever spelling a vendor, a proxy or a library may repeat it."""
        spellings = {spelling for key in self._keys() for spelling in _spellings(key)}
        for spelling in sorted(spellings, key=lambda one: (-len(one), one)):
            text = text.replace(spelling, "…")
        return text

    def without_keys(self, body: bytes, key: str) -> bytes:
        """A body is kept for ever and handed on in recordings: so the key that asked for it does not stay in it. What
        is too short to be a vendor's key is no secret, and may be a word."""
        for spelling in _spellings(key) if len(key) >= SECRET_FROM else ():
            told = spelling.encode()
            body = body.replace(told, b"*" * len(told)) if told in body else body
        return body

    def _keys(self) -> list[str]:
        """Those that can have been sent."""
        keys = (self.polygon_key, self.databento_key, self.flatfiles_id, self.flatfiles_secret)
        return [key for key in keys if key and key.isascii()]


@lru_cache
def _spellings(key: str) -> tuple[str, ...]:
    """Of a key, the longest first; with and without what fills base64 up."""
    plain = base64.b64encode(key.encode()).decode()
    told = {key, quote(key), quote(key, safe=""), quote(key, safe="").lower(), quote_plus(key),
            plain, plain.rstrip("="), base64.b64encode(f"{key}:".encode()).decode(),
            base64.urlsafe_b64encode(key.encode()).decode().rstrip("="),
            json.dumps(key)[1:-1], repr(key)[1:-1]}  # fmt: skip
    return tuple(sorted(told, key=lambda one: (-len(one), one)))
