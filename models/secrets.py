"""The keys of this installation: made at the first start, kept in one file that only its owner can read."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets as random
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import BaseModel, ConfigDict

from models.settings import settings

NONCE_BYTES = 12  # what AES-GCM is specified for (NIST SP 800-38D)


class Secrets(BaseModel):
    """`email_keys` maps a key id to a 256-bit key in base64; new addresses are encrypted with `email_key`."""

    model_config = ConfigDict(frozen=True)

    root: str
    email_key: str
    email_keys: dict[str, str]
    redis_password: str

    def derived(self, purpose: str) -> bytes:
        """A 256-bit key for one purpose alone, so that what one use gives away helps with no other."""
        return hmac.digest(self.root.encode(), purpose.encode(), "sha256")


@cache
def secrets() -> Secrets:
    """The keys, read once a process; made where there are none."""
    path = settings().data / "secrets.json"
    if not path.exists():
        _make(path)
    return Secrets.model_validate_json(path.read_bytes())


def _make(path: Path) -> None:
    """Write the file whole and give it its name last, so that nobody reads half of it or replaces another's."""
    made = Secrets(
        root=random.token_urlsafe(32),
        email_key="1",
        email_keys={"1": base64.b64encode(random.token_bytes(32)).decode()},
        redis_password=random.token_urlsafe(24),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".secrets-{os.getpid()}-{random.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(made.model_dump(), file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)  # fails where another process was first: then its keys count
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def keyed_hash(purpose: str, *parts: str) -> str:
    """HMAC-SHA256 in hex over parts that cannot run into each other."""
    message = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
    return hmac.new(secrets().derived(purpose), message, hashlib.sha256).hexdigest()


def email_index(email: str) -> str:
    """What an address is looked up by: a keyed hash of its lower-case spelling."""
    return keyed_hash("email index", email.casefold())


def encrypt_email(email: str) -> bytes:
    """`key id, NUL, nonce, AES-256-GCM ciphertext`; the key id is authenticated too."""
    key_id = secrets().email_key.encode()
    nonce = os.urandom(NONCE_BYTES)
    return key_id + b"\0" + nonce + _cipher(key_id).encrypt(nonce, email.encode(), key_id)


def decrypt_email(sealed: bytes) -> str:
    """The address again. Raises `cryptography.exceptions.InvalidTag` if it was tampered with."""
    key_id, _, rest = sealed.partition(b"\0")
    return _cipher(key_id).decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], key_id).decode()


@cache
def _cipher(key_id: bytes) -> AESGCM:
    return AESGCM(base64.b64decode(secrets().email_keys[key_id.decode()]))
