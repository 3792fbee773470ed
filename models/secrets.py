"""The keys of this installation: made at the first start, kept in one file that only its owner can read."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets as random
from contextlib import suppress
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


def secrets_path() -> Path:
    return settings().data / "secrets.json"


@cache
def secrets() -> Secrets:
    """The keys, read once a process; made where there are none. `reread()` sees what another process changed."""
    path = secrets_path()
    if not path.exists():
        _make(path)
    _read_as[0] = _stamp(path)
    return Secrets.model_validate_json(path.read_bytes())


def reread() -> Secrets:
    """The keys as the file has them now. To look costs a microsecond, to read happens after a rotation only."""
    if _read_as[0] != _stamp(secrets_path()):
        secrets.cache_clear()
    return secrets()


_read_as: list[tuple[int, int] | None] = [None]  # which file `secrets()` read: it is replaced whole


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        about = path.stat()
    except FileNotFoundError:
        return None
    return about.st_ino, about.st_mtime_ns


def _make(path: Path) -> None:
    """Write the file whole and give it its name last, so that nobody reads half of it or replaces another's."""
    made = Secrets(
        root=random.token_urlsafe(32),
        email_key="1",
        email_keys={"1": base64.b64encode(random.token_bytes(32)).decode()},
        redis_password=random.token_urlsafe(24),
    )
    keep_secrets(made, path)


def keep_secrets(made: Secrets, path: Path) -> None:
    """Keep these as the keys of an installation that has none yet; where another was first, its keys count."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = _draft(made, path)
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()


def _draft(made: Secrets, path: Path) -> Path:
    """The file under another name, on the disk to stay."""
    draft = path.with_name(f".secrets-{os.getpid()}-{random.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(made.model_dump(), file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    return draft


def add_email_key() -> str:
    """A new key for addresses, current from now on; its id. Older ones stay to read with.

    An interrupted rotation is gone on with: its key is the current one already, and the old ones are still there.
    """
    kept = reread()
    if len(kept.email_keys) > 1:
        return kept.email_key
    key_id = str(1 + max(int(name) for name in kept.email_keys))
    keys = {**kept.email_keys, key_id: base64.b64encode(random.token_bytes(32)).decode()}
    _replace(kept.model_copy(update={"email_key": key_id, "email_keys": keys}))
    return key_id


def add_keys(others: Secrets) -> None:
    """Keep those of another state of these secrets to read with, too: a backup may be older than a rotation."""
    kept = reread()
    if not others.email_keys.keys() <= kept.email_keys.keys():
        _replace(kept.model_copy(update={"email_keys": {**others.email_keys, **kept.email_keys}}))


def retire_email_keys() -> list[str]:
    """Forget every key for addresses but the current one; the ids of those that went."""
    kept = reread()
    retired = [name for name in kept.email_keys if name != kept.email_key]
    if retired:
        _replace(kept.model_copy(update={"email_keys": {kept.email_key: kept.email_keys[kept.email_key]}}))
    return retired


def _replace(changed: Secrets) -> None:
    """Under its name at once and whole, so that a reader has the old keys or the new ones."""
    _draft(changed, secrets_path()).replace(secrets_path())
    folder = os.open(secrets_path().parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def keyed_hash(purpose: str, *parts: str) -> str:
    """HMAC-SHA256 in hex over parts that cannot run into each other."""
    message = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
    return hmac.new(secrets().derived(purpose), message, hashlib.sha256).hexdigest()


def email_index(email: str) -> str:
    """What an address is looked up by: a keyed hash of its lower-case spelling."""
    return keyed_hash("email index", email.casefold())


def encrypt_email(email: str) -> bytes:
    """`key id, NUL, nonce, AES-256-GCM ciphertext`; the key id is authenticated too."""
    key_id = reread().email_key.encode()  # what is sealed with a key about to be retired could not be opened again
    nonce = os.urandom(NONCE_BYTES)
    return key_id + b"\0" + nonce + _cipher(key_id).encrypt(nonce, email.encode(), key_id)


def decrypt_email(sealed: bytes) -> str:
    """The address again. Raises KeyError without its key, `cryptography.exceptions.InvalidTag` if tampered with."""
    key_id, _, rest = sealed.partition(b"\0")
    return _cipher(key_id).decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], key_id).decode()


@cache
def _cipher(key_id: bytes) -> AESGCM:
    """By a key's id, which never comes to mean another key. One unknown so far may have been added meanwhile."""
    name = key_id.decode(errors="replace")
    known = secrets() if name in secrets().email_keys else reread()
    return AESGCM(base64.b64decode(known.email_keys[name]))


def seal(purpose: str, content: bytes) -> bytes:
    """`nonce, AES-256-GCM ciphertext` under this purpose's own key."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(secrets().derived(purpose)).encrypt(nonce, content, purpose.encode())


def unseal(purpose: str, sealed: bytes) -> bytes:
    """The content again. Raises `cryptography.exceptions.InvalidTag` if tampered with, or sealed by other keys."""
    cipher = AESGCM(secrets().derived(purpose))
    return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], purpose.encode())


def key_of(sealed: bytes) -> str:
    """The id of the key an address was sealed with."""
    return sealed.partition(b"\0")[0].decode(errors="replace")
