"""Where the vendors are and what opens them: addresses and keys from the environment, keys never shown."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

VENDORS = ("polygon", "cboe", "cme")
# Polygon became Massive: either brand's next_url may name the other's host, and either brand's variable holds the key.
BRANDS = {"api.massive.com", "api.polygon.io"}
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

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Hosts":
        """Both brands' variables and addresses are understood; a key that is not there is an empty one."""
        massive = environment.get("MASSIVE_API_KEY", "")
        brand = "https://api.massive.com" if massive else "https://api.polygon.io"
        return cls(
            polygon=environment.get("POLYGON_BASE_URL") or brand,
            cboe=environment.get("CBOE_BASE_URL", "https://cdn.cboe.com"),
            databento=environment.get("DATABENTO_BASE_URL", "https://hist.databento.com"),
            polygon_key=massive or environment.get("POLYGON_API_KEY", ""),
            databento_key=environment.get("DATABENTO_API_KEY", ""),
        )

    def base(self, vendor: str) -> str:
        return {"polygon": self.polygon, "cboe": self.cboe, "cme": self.databento}[vendor].rstrip("/")

    def clean(self, text: str) -> str:
        """The text without any key, in whatever spelling a vendor, a proxy or a library may repeat it."""
        for key in filter(None, (self.polygon_key, self.databento_key)):
            basic = base64.b64encode(f"{key}:".encode()).decode()
            for spelling in (basic, quote(key, safe=""), key):
                text = text.replace(spelling, "…")
        return text
