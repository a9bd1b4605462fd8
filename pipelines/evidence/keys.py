"""The desk's signing key: made on the first night, its private half readable by its owner alone."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from pipelines import durable

PRIVATE = "signing.key"
TRUSTED = "trusted"  # one <key id>.pub a key that verifies; a second one stands here during a rotation


def key_id(public: bytes) -> str:
    return sha256(public).hexdigest()[:16]


@dataclass(frozen=True)
class Keys:
    """`trusted` are raw 32-byte Ed25519 public keys, ours among them."""

    private: Any
    public: bytes
    trusted: tuple[bytes, ...]

    @property
    def id(self) -> str:
        return key_id(self.public)

    def sign(self, data: bytes) -> bytes:
        return bytes(self.private.sign(data))


def trusted(folder: Path) -> tuple[bytes, ...]:
    """Every key whose signature counts here; needs no private key."""
    found = sorted((folder / TRUSTED).glob("*.pub"))
    return tuple(bytes.fromhex(path.read_text().strip()) for path in found)


def open_or_create(folder: Path) -> Keys:
    """The desk's keys. Digests of what they sign do not depend on them."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    path = folder / PRIVATE
    if path.exists():
        if path.stat().st_mode & 0o077:
            raise PermissionError(f"{path} can be read by others: chmod 600 it, and change the key if it was exposed")
        private = serialization.load_pem_private_key(path.read_bytes(), password=None)
    else:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        private = Ed25519PrivateKey.generate()
        pem = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                    serialization.NoEncryption())
        durable.write_atomic(path, pem, failpoint="key", mode=0o600)
    public = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    ours = folder / TRUSTED / f"{key_id(public)}.pub"
    if not ours.exists():
        durable.write_atomic(ours, public.hex().encode() + b"\n", failpoint="key_public")
    return Keys(private, public, trusted(folder))


def verifies(data: bytes, signature: bytes, keys: tuple[bytes, ...]) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    for public in keys:
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
            return True
        except (InvalidSignature, ValueError):
            continue
    return False
