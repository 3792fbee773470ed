"""The keys of this installation: where they come from, and what is encrypted and signed with them.

They come from the first of these that is given:
- GREENROOM_SECRETS, the JSON itself in an environment variable;
- GREENROOM_SECRETS_FILE, a file that somebody else writes, like a mounted Kubernetes Secret;
- `secrets.json` in the data folder, which Greenroom makes on its first start and writes itself.

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
SHORTEST_ROOT = 32  # characters; a generated one has 43
KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,40}")


class WrongKeys(Exception):
    """The keys are missing, damaged or not those of the database. The message says which, and what
    to do.
    """


class UnknownKey(WrongKeys, KeyError):
    """An address was encrypted with a key that this process does not have."""

    __str__ = Exception.__str__  # KeyError's would put the sentence in quotes


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
        """A 256-bit key for one purpose alone, so that what one use gives away helps
        with no other.
        """
        return hmac.digest(self.root.encode(), purpose.encode(), "sha256")

    @property
    def valkey_password(self) -> str:
        """The embedded Valkey's password. Keys that an operator brings may leave it out."""
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


# Where the keys come from


def secrets_path() -> Path:
    """The file with the keys, unless they come from GREENROOM_SECRETS."""
    return settings().secrets_file or settings().data / "secrets.json"


def are_brought() -> bool:
    """Whether an operator brings the keys, so that Greenroom neither makes nor changes them."""
    return bool(settings().secrets or settings().secrets_file)


def source() -> str:
    """How a message names the place of the keys."""
    return "GREENROOM_SECRETS" if settings().secrets else str(secrets_path())


Stamp = tuple[int, int, int]


@dataclass
class _Held:
    """What this process has read. `stamp` tells whether the file has been replaced since; it is
    replaced whole.
    """

    kept: Secrets | None = None
    stamp: Stamp | None = None
    is_lost: bool = False  # the file has vanished or was damaged since, and the log says so


_held = _Held()


def secrets() -> Secrets:
    """The keys, read once a process. `reread()` sees what another process or an operator changed.

    A new installation gets its keys here. Raises `WrongKeys` if they are missing and the database
    needs the old ones.
    """
    return _held.kept or _read_first()


def _read_first() -> Secrets:
    if not are_brought() and not is_there():
        # it needs the database, which the rest of this file does not
        from models.store import keyring  # noqa: PLC0415

        keyring.make_keys()
    stamp = _stamp()
    kept = from_source()
    _held.kept, _held.stamp = kept, stamp
    return kept


def reread() -> Secrets:
    """The keys as their source has them now. To look costs a microsecond; to read happens after a
    change only.

    A running process goes on with the keys it has if the file has vanished or is damaged, and logs
    that once.
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
    """Read them anew at the next use."""
    _held.kept, _held.stamp, _held.is_lost = None, None, False
    _confirmed.kept = None
    _cipher.cache_clear()


caches.register(forget_secrets)


def is_there() -> bool:
    """Whether there are keys, readable or not."""
    return bool(settings().secrets) or os.path.lexists(secrets_path())


def from_source() -> Secrets:
    """The keys, read now. Raises `WrongKeys` with one sentence that names their source."""
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
            f"The keys in {path} can't be read ({why}): correct that, then start again."
        ) from None


def missing() -> WrongKeys:
    """What to say if there is no file and none may be made."""
    return WrongKeys(
        f"The keys of this database are missing: there is no {secrets_path()}. Put that file "
        "back from your backup, or "
        "give its content in GREENROOM_SECRETS or GREENROOM_SECRETS_FILE "
        "(operations/RUNBOOKS.md, Keys)."
    )


def parsed(content: bytes, name: str) -> Secrets:
    """Keys out of JSON. Raises `WrongKeys`, without any of the content."""
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
    raise WrongKeys(f"The keys in {name} are damaged ({why}): put them back from your backup.")


def _field(place: tuple[int | str, ...]) -> str:
    return str(place[0]) if place else "its keys"


def _stamp() -> Stamp | None:
    """Kubernetes replaces what a symbolic link points to, so the file behind it counts."""
    if settings().secrets:
        return None
    try:
        about = secrets_path().stat()
    except OSError:
        return None
    return about.st_dev, about.st_ino, about.st_mtime_ns


def readable_by_others() -> str | None:
    """A warning if others on this machine can read the file. A mounted file often belongs to a
    group, rightly so.
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


# The file in the data folder, which Greenroom writes


def keep_secrets(made: Secrets) -> None:
    """Keep these as the keys of an installation that has none yet; where another process was first,
    its keys count.
    """
    path = secrets_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = _draft(made, path)
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
    _sync_folder(path)


def _draft(made: Secrets, path: Path) -> Path:
    """The file under another name, on the disk to stay: nobody reads half of it."""
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
    """With one more key for addresses, current from now on. Older ones stay to read with."""
    key_id = str(1 + max(digits_to_int(name, digits=18) or 0 for name in kept.email_keys))
    return kept.model_copy(
        update={"email_key": key_id, "email_keys": {**kept.email_keys, key_id: new_email_key()}}
    )


def with_current_key_only(kept: Secrets) -> Secrets:
    return kept.model_copy(update={"email_keys": {kept.email_key: kept.email_keys[kept.email_key]}})


def add_keys(others: Secrets) -> None:
    """Keep those of another state of these secrets to read with, too: a backup may be older than a
    rotation.
    """
    kept = from_source()
    if not others.email_keys.keys() <= kept.email_keys.keys():
        replace_secrets(
            kept.model_copy(update={"email_keys": {**others.email_keys, **kept.email_keys}})
        )


def replace_secrets(changed: Secrets) -> None:
    """Under its name at once and whole, so that a reader has the old keys or the new ones."""
    _draft(changed, secrets_path()).replace(secrets_path())
    _sync_folder(secrets_path())


def _sync_folder(path: Path) -> None:
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


# What is done with them


def keyed_hash(purpose: str, *parts: str) -> str:
    """HMAC-SHA256 in hex over parts that cannot run into each other."""
    message = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
    return hmac.new(secrets().derived(purpose), message, hashlib.sha256).hexdigest()


def email_index(email: str) -> str:
    """What an address is looked up by: a keyed hash of its lower-case spelling."""
    return keyed_hash("email index", email.casefold())


def encrypt_email(email: str) -> bytes:
    """`key id, NUL, nonce, AES-256-GCM ciphertext`; the key id is authenticated too.

    Raises `WrongKeys` if these keys are not the database's: the address could never be read again.
    """
    kept = reread()  # what is sealed with a key about to be retired could not be opened again
    confirm_keys(kept)
    key_id, nonce = kept.email_key.encode(), os.urandom(NONCE_BYTES)
    cipher = _cipher(kept.email_keys[kept.email_key])
    return key_id + b"\0" + nonce + cipher.encrypt(nonce, email.encode(), key_id)


def decrypt_email(sealed: bytes) -> str:
    """The address again. Raises `UnknownKey` without its key, `cryptography.exceptions.InvalidTag`
    if tampered with.
    """
    key_id, _, rest = sealed.partition(b"\0")
    return (
        _cipher(_key_named(key_of(sealed)))
        .decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], key_id)
        .decode()
    )


def _key_named(key_id: str) -> str:
    """A key that is unknown so far may have been added meanwhile."""
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
    """`nonce, AES-256-GCM ciphertext` under this purpose's own key. Raises `WrongKeys`, like
    `encrypt_email`.
    """
    kept = secrets()
    confirm_keys(kept, may_record=False)  # its callers are in a transaction of their own
    return seal_with(kept, purpose, content)


def seal_with(kept: Secrets, purpose: str, content: bytes) -> bytes:
    """The same with keys that are about to become the database's."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(kept.derived(purpose)).encrypt(nonce, content, purpose.encode())


def unseal(purpose: str, sealed: bytes) -> bytes:
    """The content again. Raises `cryptography.exceptions.InvalidTag` if tampered with, or sealed by
    other keys.
    """
    cipher = AESGCM(secrets().derived(purpose))
    return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], purpose.encode())


def key_of(sealed: bytes) -> str:
    """The id of the key an address was sealed with."""
    return sealed.partition(b"\0")[0].decode(errors="replace")


@dataclass
class _Confirmed:
    """The keys that this process has compared with the database."""

    kept: Secrets | None = None


_confirmed = _Confirmed()


def confirm_keys(kept: Secrets, *, may_record: bool = True) -> None:
    """Compare keys with the database before their first use: one query a process, and one after
    each change.

    Raises `WrongKeys`. `may_record`: a transaction may be begun to note keys that the database has
    not seen.
    """
    if _confirmed.kept is not kept:
        # it needs the database, which the rest of this file does not
        from models.store import keyring  # noqa: PLC0415

        if keyring.check_keys(kept, may_record=may_record):
            _confirmed.kept = kept
