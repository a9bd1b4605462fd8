"""What a bundle says of itself: canonical JSON, signed whole. Its digest leaves out what differs between makings."""

import datetime as dt
import hashlib
import json
from dataclasses import asdict, dataclass, fields
from typing import Any

FORMAT = 1
RUNGS = ("shadow", "canary", "champion")
# A rerun of the same night makes the same digest, whichever number it gets and whenever it was run.
OUTSIDE_DIGEST = ("seq", "created", "expires")


def canonical(value: Any) -> bytes:
    """One text for one value: sorted keys, shortest form, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


@dataclass(frozen=True)
class FeatureEntry:
    name: str
    version: int
    family: str
    look_back: int

    @property
    def ref(self) -> str:
        """Its full name: a version that joins the registry later is not meant."""
        return f"{self.family}_v{self.version}:{self.name}"


@dataclass(frozen=True)
class FileEntry:
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class Manifest:
    """Everything that a loader must know before it reads another byte of the bundle."""

    seq: int
    created: dt.datetime
    expires: dt.datetime  # close of the last session it may trade
    slot: str
    strategy: str
    strategy_key: str
    rung: str  # 'shadow' trades on paper only
    last_session: dt.date  # the newest session whose bars it knows
    features: tuple[FeatureEntry, ...]  # in the order of the panel's columns
    code_digest: str  # of the sources that fitted and judged it
    data_snapshot: dict[str, str]  # mart or view -> digest
    evidence_digest: str  # of the record that let it through
    files: dict[str, FileEntry]
    format: int = FORMAT
    capital_share: float = 1.0  # of the account that it may use on its rung; told only where it is not all

    def to_bytes(self) -> bytes:
        return canonical(self._plain())

    def _plain(self) -> dict[str, Any]:
        told = asdict(self)
        told.update(created=self.created.isoformat(), expires=self.expires.isoformat(),
                    last_session=self.last_session.isoformat())
        if self.capital_share == 1.0:
            del told["capital_share"]
        return told

    @property
    def digest(self) -> str:
        told = {name: value for name, value in self._plain().items() if name not in OUTSIDE_DIGEST}
        return hashlib.sha256(canonical(told)).hexdigest()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Manifest":
        """Every field, no other, each of its type; otherwise ValueError."""
        told = json.loads(data)
        if not isinstance(told, dict) or set(told) | {"capital_share"} != {field.name for field in fields(cls)}:
            raise ValueError("its fields are not those of a manifest")
        for name, kind in (("seq", int), ("format", int), ("slot", str), ("strategy", str), ("strategy_key", str),
                           ("rung", str), ("code_digest", str), ("evidence_digest", str), ("features", list),
                           ("data_snapshot", dict), ("files", dict)):
            if type(told[name]) is not kind:
                raise ValueError(f"{name} is no {kind.__name__}")
        try:
            created, expires = (dt.datetime.fromisoformat(told[name]) for name in ("created", "expires"))
            manifest = cls(**{
                **told,
                "created": created, "expires": expires,
                "last_session": dt.date.fromisoformat(told["last_session"]),
                "features": tuple(FeatureEntry(**entry) for entry in told["features"]),
                "files": {name: FileEntry(**entry) for name, entry in told["files"].items()},
            })
        except TypeError as error:
            raise ValueError(str(error)) from error
        if created.tzinfo is None or expires.tzinfo is None or manifest.seq < 1 or manifest.rung not in RUNGS:
            raise ValueError("a time without zone, a sequence number below 1 or an unknown rung")
        if type(manifest.capital_share) is not float or not 0.0 < manifest.capital_share <= 1.0:
            raise ValueError("a share of the capital that is none")
        if manifest.to_bytes() != data:
            raise ValueError("it is not in canonical form")
        return manifest
