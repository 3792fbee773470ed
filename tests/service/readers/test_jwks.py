"""Tokens that a site signs with its private key: Greenroom fetches the public ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from models.settings import settings
from service.readers import jwks
from service.readers.sign_on import ALGORITHMS, Settings, save_settings
from service.readers.tokens import WrongToken, check_token
from tests.caller import Client
from tests.fakes.receiver import CUT, Answer, Receiver
from tests.service.readers.tokens import BY, claims, demo, new_secret

RSA, EC = rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()
OTHER = ed25519.Ed25519PrivateKey.generate()


def public(key: Any, algorithm: str, kid: str) -> dict[str, Any]:
    made = jwt.get_algorithm_by_name(algorithm).to_jwk(key.public_key(), as_dict=True)
    return {**made, "kid": kid, "use": "sig"}


KEYS = [public(RSA, "RS256", "r"), public(EC, "ES256", "e"), public(ED, "EdDSA", "d")]


def answer(keys: Any) -> Answer:
    return Answer(200, {"Content-Type": "application/json"}, json.dumps({"keys": keys}).encode())


def signed(key: Any, algorithm: str, kid: str | None) -> str:
    return jwt.encode(claims(), key, algorithm, {"kid": kid} if kid else {})


@pytest.fixture
def server(client: Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """The site's own server, which publishes its keys."""
    monkeypatch.setenv("GREENROOM_WEBHOOK_ALLOW_PRIVATE", "true")
    settings.cache_clear()
    with Receiver(always=answer(KEYS)) as receiver:
        save_settings(demo().id, Settings(receiver.url, ALGORITHMS), by=BY)
        yield receiver


@pytest.mark.parametrize(
    ("key", "algorithm", "kid"),
    [(RSA, "RS256", "r"), (EC, "ES256", "e"), (ED, "EdDSA", "d"), (ED, "EdDSA", None)],
)
def test_a_token_is_checked_with_the_sites_public_key(
    server: Receiver, key: Any, algorithm: str, kid: str | None
) -> None:
    for _ in range(2):
        assert check_token(demo(), signed(key, algorithm, kid)).name == "Ann Reed"
    assert len(server.got) == 1, "the keys are cached"


def pem(key: Any) -> bytes:
    content: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return content


def as_a_secret(content: bytes, **headers: str) -> str:
    """Sign with a public key as if it were a secret; PyJWT itself refuses to."""
    from jwt.algorithms import HMACAlgorithm

    unsigned = jwt.encode(claims(), "x" * 40, "HS256", headers).rpartition(".")[0]
    hmac = HMACAlgorithm(HMACAlgorithm.SHA256)
    signature = hmac.sign(unsigned.encode(), content)
    return f"{unsigned}.{jwt.utils.base64url_encode(signature).decode()}"


@pytest.mark.parametrize(
    "forged",
    [
        lambda: as_a_secret(pem(RSA), kid="r"),
        lambda: as_a_secret(pem(RSA)),
        lambda: signed(OTHER, "EdDSA", "d"),
        lambda: signed(OTHER, "EdDSA", "unknown"),
        lambda: signed(EC, "ES256", "r"),
        lambda: signed(RSA, "RS512", "r"),
    ],
)
def test_a_forged_token_is_refused(server: Receiver, forged: Any) -> None:
    new_secret()
    with pytest.raises(WrongToken):
        check_token(demo(), forged())


def test_only_the_algorithms_of_the_site_are_accepted(server: Receiver) -> None:
    save_settings(demo().id, Settings(server.url, ("ES256",)), by=BY)
    assert check_token(demo(), signed(EC, "ES256", "e"))
    with pytest.raises(WrongToken, match="accepts ES256"):
        check_token(demo(), signed(RSA, "RS256", "r"))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (Answer(302, {"Location": "/elsewhere"}), "redirects"),
        (Answer(500), "status 500"),
        (Answer(200, {}, b"{"), "not a JSON Web Key Set"),
        (Answer(200, {}, b'{"keys": 1}'), "not a JSON Web Key Set"),
        (answer([KEYS[0]] * 21), "too many keys"),
        (Answer(200, {}, b" " * 2_000_000), "too long"),
        (Answer(200, {}, b"x" * 1000, drip=0.1), "did not answer"),
        (CUT, "did not answer"),
        (answer([{"kty": "OKP", "crv": "Ed25519", "x": "short", "kid": "d"}]), "no EdDSA key"),
        (answer([]), "no EdDSA key"),
    ],
)
def test_keys_that_cannot_be_used_refuse_the_token_with_the_reason(
    server: Receiver, monkeypatch: pytest.MonkeyPatch, given: Answer, reason: str
) -> None:
    monkeypatch.setattr(jwks, "SECONDS", 0.5)
    server.always = given
    for _ in range(2):
        with pytest.raises(WrongToken, match=reason):
            check_token(demo(), signed(ED, "EdDSA", "d"))
    assert len(server.got) == 1, "a failure is not repeated at once"


def test_a_private_address_is_not_contacted(
    server: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GREENROOM_WEBHOOK_ALLOW_PRIVATE")
    settings.cache_clear()
    with pytest.raises(WrongToken, match="not available"):
        check_token(demo(), signed(ED, "EdDSA", "d"))
    assert server.got == []


def test_a_new_key_of_the_site_is_fetched_and_the_last_ones_survive_an_outage(
    server: Receiver,
) -> None:
    with time_machine.travel("2026-03-03 12:00:00+00:00", tick=False) as clock:
        check_token(demo(), signed(ED, "EdDSA", "d"))
        server.always = answer([public(OTHER, "EdDSA", "new")])
        jwks._cache[server.url] = jwks._cache[server.url]._replace(tried=-jwks.AGAIN_SECONDS)
        assert check_token(demo(), signed(OTHER, "EdDSA", "new"))
        server.always = Answer(503)
        fetched = jwks._cache[server.url]
        old = fetched.at - jwks.FRESH_SECONDS
        jwks._cache[server.url] = fetched._replace(at=old, tried=old)
        clock.shift(1)
        assert check_token(demo(), signed(OTHER, "EdDSA", "new"))
    assert len(server.got) == 3
