"""Where the vendors are and what opens them: addresses and keys from the environment, keys never shown."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

VENDORS = ("polygon", "cboe", "cme")
# Polygon became Massive: either brand's next_url may name the other's host, and either brand's variable holds the key.
BRANDS = {"api.massive.com", "api.polygon.io"}
# The flat files have keys of their own, which sign what is asked and open nothing else.
S3_VARIABLES = (("MASSIVE_S3_ACCESS_KEY_ID", "POLYGON_S3_ACCESS_KEY_ID"),
                ("MASSIVE_S3_SECRET_ACCESS_KEY", "POLYGON_S3_SECRET_ACCESS_KEY"))  # fmt: skip
KEY_VARIABLES = {"polygon": ("MASSIVE_API_KEY", "POLYGON_API_KEY"), "cboe": (), "cme": ("DATABENTO_API_KEY",)}


class VendorError(RuntimeError):
    """A vendor refused or failed; says who, what was asked, and the vendor's own words, never a key."""


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

    def clean(self, text: str) -> str:
        """The text without any key, in whatever spelling a vendor, a proxy or a library may repeat it."""
        keys = (self.polygon_key, self.databento_key, self.flatfiles_id, self.flatfiles_secret)
        for key in filter(None, keys):
            basic = base64.b64encode(f"{key}:".encode()).decode()
            for spelling in (basic, quote(key, safe=""), key):
                text = text.replace(spelling, "…")
        return text
