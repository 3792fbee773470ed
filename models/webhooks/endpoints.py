"""An endpoint with its secrets decrypted, and which of them are still valid."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

import orjson
from pydantic import BaseModel, ConfigDict

from models.records import Endpoint
from models.store.secrets import seal, unseal
from models.webhooks.owed import CHATS
from models.webhooks.signatures import new_private_key, new_secret

PURPOSE = "webhook secrets"
MOST_SECRETS = 5  # valid at once; the fifth rotation in a row drops the first


class Secret(BaseModel):
    """A shared secret, and a private key if the endpoint's signatures use one. Both expire at
    `until`, if it is set.
    """

    model_config = ConfigDict(frozen=True)

    shared: str
    private: str | None = None
    until: datetime | None = None


class Sealed(BaseModel):
    """The encrypted part of an endpoint. The newest secret comes first."""

    model_config = ConfigDict(frozen=True)

    secrets: tuple[Secret, ...] = ()
    headers: dict[str, str] = {}

    def live(self, at: datetime) -> list[Secret]:
        return [secret for secret in self.secrets if secret.until is None or secret.until > at]

    def keys(self, at: datetime) -> list[str]:
        """Return the keys to sign with, shared secrets first, because most receivers check only
        these.
        """
        live = self.live(at)
        return [
            *(secret.shared for secret in live),
            *(secret.private for secret in live if secret.private),
        ]


class Kept(NamedTuple):
    """An endpoint's row with its secrets decrypted. Never log it."""

    id: str
    url: str
    format: str
    rate: float | None
    is_ordered: bool
    is_coalesced: bool
    failing_since: datetime | None
    sealed: Sealed

    @property
    def is_chat(self) -> bool:
        return self.format in CHATS

    def __repr__(self) -> str:
        return f"Kept({self.id})"


def opened(row: Endpoint) -> Kept:
    return Kept(
        row.id,
        row.url,
        row.format,
        row.rate,
        row.is_ordered,
        row.is_coalesced,
        row.failing_since,
        unsealed(row.sealed),
    )


def first_secret(*, signs_ed25519: bool) -> Secret:
    return Secret(shared=new_secret(), private=new_private_key() if signs_ed25519 else None)


def rotated(kept: Sealed, *, until: datetime, at: datetime, signs_ed25519: bool) -> Sealed:
    """Put a new secret first. The earlier secrets keep signing until that time, or until they
    expire.
    """
    older = [
        secret.model_copy(update={"until": min(until, secret.until or until)})
        for secret in kept.live(at)[: MOST_SECRETS - 1]
    ]
    alive = tuple(secret for secret in older if secret.until and secret.until > at)
    return kept.model_copy(update={"secrets": (first_secret(signs_ed25519=signs_ed25519), *alive)})


def sealed(content: Sealed) -> bytes:
    return seal(PURPOSE, orjson.dumps(content.model_dump(mode="json")))


@lru_cache(maxsize=256)
def unsealed(content: bytes) -> Sealed:
    return Sealed.model_validate_json(unseal(PURPOSE, content))


def sealed_of(secret: Secret, headers: Mapping[str, str]) -> bytes:
    return sealed(Sealed(secrets=(secret,), headers=dict(headers)))
