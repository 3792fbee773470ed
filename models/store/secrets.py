"""The keys of this installation: where they come from, and what they encrypt and sign.

They come from the first of these that is set:

- GREENROOM_SECRETS, the JSON itself in an environment variable
- GREENROOM_SECRETS_FILE, a file that somebody else writes, such as a mounted Kubernetes Secret
- `secrets.json` in the data folder, which Greenroom makes when it first starts and writes itself

`models/store/keyring.py` compares them with the fingerprint in the database, so that no process
works with the wrong keys.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import re
import secrets as random
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator

from models import caches
from models.settings import settings
from models.text.numbers import digits_to_int

NONCE_BYTES = 12  # what AES-GCM is specified for (NIST SP 800-38D)
KEY_BYTES = 32
SHORTEST_ROOT = 32  # characters; a generated password has 43
KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,40}")


class WrongKeys(Exception):
    """The keys are missing, damaged or not those of the database. The message says which, and what
    to do.
    """


class UnknownKey(WrongKeys, KeyError):
    """An address was encrypted with a key that this process does not have."""

    __str__ = Exception.__str__  # KeyError would put the sentence in quotes


class Secrets(BaseModel):
    """`email_keys` maps a key id to a 256-bit key in base64; new addresses are encrypted with
    `email_key`.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    root: str
    email_key: str
    email_keys: dict[str, str]
    redis_password: str = ""

    @field_validator("root")
    @classmethod
    def _is_long(cls, root: str) -> str:
        if len(root) < SHORTEST_ROOT:
            raise ValueError(f"root must have at least {SHORTEST_ROOT} random characters")
        return root

    @model_validator(mode="after")
    def _keys_are_usable(self) -> Secrets:
        for key_id, key in self.email_keys.items():
            if not KEY_ID.fullmatch(key_id):
                raise ValueError(
                    "a key id may have 1 to 40 letters, digits, dots, dashes and underscores"
                )
            if _key_length(key) != KEY_BYTES:
                raise ValueError(
                    f"key {key_id!r} in email_keys must be {KEY_BYTES} bytes in base64"
                )
        if self.email_key not in self.email_keys:
            raise ValueError(
                f"email_key names {self.email_key[:40]!r}, which email_keys does not have"
            )
        return self

    def derived(self, purpose: str) -> bytes:
        """Derive a 256-bit key for one purpose, so that a leak from one use does not help with
        another.
        """
        return hmac.digest(self.root.encode(), purpose.encode(), "sha256")

    @property
    def valkey_password(self) -> str:
        """The embedded Valkey's password. Keys that an operator provides may leave it out."""
        return self.redis_password or self.derived("valkey password").hex()


def _key_length(key: str) -> int:
    try:
        return len(base64.b64decode(key, validate=True))
    except (binascii.Error, ValueError):
        return 0


def generated() -> Secrets:
    """Fresh keys for a new installation."""
    return Secrets(
        root=random.token_urlsafe(32),
        email_key="1",
        email_keys={"1": new_email_key()},
        redis_password=random.token_urlsafe(24),
    )


def new_email_key() -> str:
    return base64.b64encode(random.token_bytes(KEY_BYTES)).decode()


# Where the keys come from.


def secrets_path() -> Path:
    """Return the path of the file with the keys, unless they come from GREENROOM_SECRETS."""
    return settings().secrets_file or settings().data / "secrets.json"


def are_brought() -> bool:
    """Whether an operator provides the keys, so that Greenroom neither makes nor changes them."""
    return bool(settings().secrets or settings().secrets_file)


def source() -> str:
    """Return the name of the keys' place for messages."""
    return "GREENROOM_SECRETS" if settings().secrets else str(secrets_path())


Stamp = tuple[int, int, int]


@dataclass
class _Held:
    """The keys that this process has read. `stamp` tells whether the file has been replaced since;
    a file is always replaced as a whole.
    """

    kept: Secrets | None = None
    stamp: Stamp | None = None
    is_lost: bool = False  # the file has disappeared or was damaged since, and the log says so


_held = _Held()


def secrets() -> Secrets:
    """Return the keys, read once per process. `reread()` sees changes by another process or an
    operator.

    A new installation gets its keys here. Raises `WrongKeys` if they are missing and the database
    needs the old ones.
    """
    return _held.kept or _read_first()


def _read_first() -> Secrets:
    if not are_brought() and not is_there():
        # Imported here because it needs the database, and the rest of this file does not.
        from models.store import keyring  # noqa: PLC0415

        keyring.make_keys()
    stamp = _stamp()
    kept = from_source()
    _held.kept, _held.stamp = kept, stamp
    return kept


def reread() -> Secrets:
    """Return the keys as their source has them now. Checking costs a microsecond; only a change is
    read.

    A running process keeps using its keys if the file has disappeared or is damaged, and logs that
    once.
    """
    if _held.kept is None:
        return _read_first()
    if settings().secrets or (stamp := _stamp()) == _held.stamp:
        return _held.kept
    try:
        _held.kept, _held.stamp, _held.is_lost = from_source(), stamp, False
    except WrongKeys as error:
        if not _held.is_lost:
            import structlog  # noqa: PLC0415 - `up` itself logs nothing, and stays small

            structlog.get_logger().error("secrets.lost", reason=str(error))
        _held.is_lost = True
    return _held.kept


def forget_secrets() -> None:
    """Make the next use read the keys again."""
    _held.kept, _held.stamp, _held.is_lost = None, None, False
    _confirmed.kept = None
    _cipher.cache_clear()


caches.register(forget_secrets)


def is_there() -> bool:
    """Whether keys exist, readable or not."""
    return bool(settings().secrets) or os.path.lexists(secrets_path())


def from_source() -> Secrets:
    """Read the keys now. Raises `WrongKeys` with one sentence that names their source."""
    if settings().secrets and settings().secrets_file:
        raise WrongKeys(
            "GREENROOM_SECRETS and GREENROOM_SECRETS_FILE are both set: unset one of them."
        )
    return parsed(settings().secrets.encode() or _content(secrets_path()), source())


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise missing() from None
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise WrongKeys(
            f"Can't read the keys in {path} ({why}). Fix this, then start again."
        ) from None


def missing() -> WrongKeys:
    """Return the message for a missing file that must not be created."""
    return WrongKeys(
        f"The keys of this database are missing: there is no {secrets_path()}. Restore that "
        "file from your backup, or provide its content in GREENROOM_SECRETS or "
        "GREENROOM_SECRETS_FILE (operations/RUNBOOKS.md, Keys)."
    )


def parsed(content: bytes, name: str) -> Secrets:
    """Parse keys from JSON. Raises `WrongKeys`, without quoting the content."""
    try:
        return Secrets.model_validate_json(content)
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False, include_context=False)[0]
    if wrong["type"] == "json_invalid":
        why = "it is not JSON" if content.strip() else "it is empty"
    elif wrong["type"] == "missing":
        why = f"it lacks {_field(wrong['loc'])}"
    else:
        why = str(wrong["msg"]).removeprefix("Value error, ")
        why = why if wrong["type"] == "value_error" else f"{_field(wrong['loc'])}: {why}"
    raise WrongKeys(f"The keys in {name} are damaged ({why}). Restore them from your backup.")


def _field(place: tuple[int | str, ...]) -> str:
    return str(place[0]) if place else "its keys"


def _stamp() -> Stamp | None:
    """Identify the version of the file. Kubernetes changes the target of a symbolic link, so the
    file behind the link counts.
    """
    if settings().secrets:
        return None
    try:
        about = secrets_path().stat()
    except OSError:
        return None
    return about.st_dev, about.st_ino, about.st_mtime_ns


def readable_by_others() -> str | None:
    """Return a warning if others on this machine can read the file. A mounted file often belongs to
    a group, which is fine.
    """
    if settings().secrets:
        return None
    forbidden, right = (0o007, "0440") if settings().secrets_file else (0o077, "0600")
    try:
        mode = secrets_path().stat().st_mode & 0o777
    except OSError:
        return None
    if not mode & forbidden:
        return None
    return f"Others can read the keys in {secrets_path()} (mode {mode:04o}): make it {right}."


# The file in the data folder, which Greenroom writes.


def keep_secrets(made: Secrets) -> None:
    """Store these as the keys of an installation that has none yet. If another process was first,
    its keys stay.
    """
    path = secrets_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = _draft(made, path)
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
    _sync_folder(path)


def _draft(made: Secrets, path: Path) -> Path:
    """Write the file under another name and sync it to disk, so that nobody reads half of it."""
    draft = path.with_name(f".secrets-{os.getpid()}-{random.token_hex(4)}")
    with os.fdopen(
        os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(as_json(made))
        file.flush()
        os.fsync(file.fileno())
    return draft


def as_json(kept: Secrets) -> str:
    return json.dumps(kept.model_dump(), indent=2)


def with_new_email_key(kept: Secrets) -> Secrets:
    """Return the secrets with one more key for addresses, which becomes the current one. Older keys
    stay for decryption.
    """
    key_id = str(1 + max(digits_to_int(name, digits=18) or 0 for name in kept.email_keys))
    return kept.model_copy(
        update={"email_key": key_id, "email_keys": {**kept.email_keys, key_id: new_email_key()}}
    )


def with_current_key_only(kept: Secrets) -> Secrets:
    return kept.model_copy(update={"email_keys": {kept.email_key: kept.email_keys[kept.email_key]}})


def add_keys(others: Secrets) -> None:
    """Add the keys of another version of these secrets for decryption: a backup may be older than a
    rotation.
    """
    kept = from_source()
    if not others.email_keys.keys() <= kept.email_keys.keys():
        replace_secrets(
            kept.model_copy(update={"email_keys": {**others.email_keys, **kept.email_keys}})
        )


def replace_secrets(changed: Secrets) -> None:
    """Replace the file as a whole, so that a reader gets the old keys or the new ones."""
    _draft(changed, secrets_path()).replace(secrets_path())
    _sync_folder(secrets_path())


def _sync_folder(path: Path) -> None:
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


# What the keys are used for.


def keyed_hash(purpose: str, *parts: str) -> str:
    """Return an HMAC-SHA256 in hex over parts that cannot run into each other."""
    message = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
    return hmac.new(secrets().derived(purpose), message, hashlib.sha256).hexdigest()


def email_index(email: str) -> str:
    """Return the index by which an address is looked up: a keyed hash of its lower-case
    spelling.
    """
    return keyed_hash("email index", email.casefold())


def encrypt_email(email: str) -> bytes:
    """Return `key id, NUL, nonce, AES-256-GCM ciphertext`. The key id is authenticated, too.

    Raises `WrongKeys` if these keys are not the database's, because nobody could ever decrypt the
    address.
    """
    kept = reread()  # what is sealed with a key about to be retired could not be opened again
    confirm_keys(kept)
    key_id, nonce = kept.email_key.encode(), os.urandom(NONCE_BYTES)
    cipher = _cipher(kept.email_keys[kept.email_key])
    return key_id + b"\0" + nonce + cipher.encrypt(nonce, email.encode(), key_id)


def decrypt_email(sealed: bytes) -> str:
    """Decrypt the address. Raises `UnknownKey` without its key, and
    `cryptography.exceptions.InvalidTag` if someone changed the bytes.
    """
    key_id, _, rest = sealed.partition(b"\0")
    return (
        _cipher(_key_named(key_of(sealed)))
        .decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], key_id)
        .decode()
    )


def _key_named(key_id: str) -> str:
    """Return the key. One that is still unknown may have been added in the meantime."""
    known = secrets() if key_id in secrets().email_keys else reread()
    try:
        return known.email_keys[key_id]
    except KeyError:
        raise UnknownKey(
            f"An address was encrypted with key {key_id!r}, which {source()} lacks: put that "
            "key back into email_keys."
        ) from None


@cache
def _cipher(key: str) -> AESGCM:
    return AESGCM(base64.b64decode(key))


def seal(purpose: str, content: bytes) -> bytes:
    """Return `nonce, AES-256-GCM ciphertext` under the key of this purpose. Raises `WrongKeys`,
    like `encrypt_email`.
    """
    kept = secrets()
    confirm_keys(kept, may_record=False)  # the caller has its own transaction
    return seal_with(kept, purpose, content)


def seal_with(kept: Secrets, purpose: str, content: bytes) -> bytes:
    """Do the same with keys that are about to become the database's."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(kept.derived(purpose)).encrypt(nonce, content, purpose.encode())


def unseal(purpose: str, sealed: bytes) -> bytes:
    """Decrypt the content. Raises `cryptography.exceptions.InvalidTag` if someone changed it, or if
    other keys encrypted it.
    """
    cipher = AESGCM(secrets().derived(purpose))
    return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], purpose.encode())


def key_of(sealed: bytes) -> str:
    """Return the id of the key that encrypted an address."""
    return sealed.partition(b"\0")[0].decode(errors="replace")


@dataclass
class _Confirmed:
    """The keys that this process has compared with the database."""

    kept: Secrets | None = None


_confirmed = _Confirmed()


def confirm_keys(kept: Secrets, *, may_record: bool = True) -> None:
    """Compare keys with the database before their first use: one query per process, and one after
    each change.

    Raises `WrongKeys`. `may_record` allows a transaction of its own to record keys that the
    database does not know yet.
    """
    if _confirmed.kept is not kept:
        # Imported here because it needs the database, and the rest of this file does not.
        from models.store import keyring  # noqa: PLC0415

        if keyring.check_keys(kept, may_record=may_record):
            _confirmed.kept = kept
