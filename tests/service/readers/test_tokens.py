"""Which sign-on tokens are accepted, and why the others are refused."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest

from service.readers.sign_on import Settings, kid_of, revoke_secret, save_settings
from service.readers.tokens import MOST_TOKEN, WrongToken, check_token
from tests.caller import Client
from tests.service.readers.tokens import BY, demo, new_secret, token

IN_2100 = 4_102_444_800

# What a site may claim wrongly, and a word of the reason that its developer reads.
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"iss": "other"}, "`iss`"),
    ({"iss": None}, "`iss`"),
    ({"aud": "other"}, "`aud`"),
    ({"aud": ["other"]}, "`aud`"),
    ({"exp": None}, "`exp` is missing"),
    ({"exp": 1}, "expired"),
    ({"exp": IN_2100}, "too far ahead"),
    ({"exp": "soon"}, "`exp`"),
    ({"exp": True}, "`exp`"),
    ({"exp": 1e300}, "`exp`"),
    ({"exp": float("inf")}, "`exp`"),
    ({"iat": IN_2100}, "`iat` is in the future"),
    ({"nbf": IN_2100}, "`nbf` is in the future"),
    ({"sub": None}, "`sub`"),
    ({"sub": ""}, "`sub`"),
    ({"sub": ["7"]}, "`sub`"),
    ({"sub": "7" * 256}, "`sub`"),
    ({"name": None}, "`name`"),
    ({"name": " \u200b"}, "`name`"),
    ({"name": "A" * 81}, "`name`"),
    ({"name": "A\0"}, "`name`"),
    ({"name": 7}, "`name`"),
    ({"name": "A\ud800"}, "`name`"),
    ({"sub": "7\ud800"}, "`sub`"),
    ({"email": "ann\ud800@example.org"}, "`email`"),
    ({"email": "ann"}, "`email`"),
    ({"email": 7}, "`email`"),
]


@pytest.mark.parametrize(("changed", "reason"), WRONG, ids=str)
def test_a_token_with_a_wrong_claim_is_refused_with_the_reason(
    client: Client, changed: dict[str, Any], reason: str
) -> None:
    made = token(new_secret(), **changed)
    with pytest.raises(WrongToken, match=reason):
        check_token(demo(), made)


def test_a_good_token_tells_who_its_reader_is(client: Client) -> None:
    made = token(
        new_secret(),
        aud=["demo", "newsletter"],
        sub=7,
        name="  Ann   Reed ",
        email="Ann@Example.org",
        email_verified=True,
        url="https://ann.example",
        avatar="https://cdn.example/ann.png",
        roles=["staff", "expert"],
    )
    found = check_token(demo(), made)
    assert (found.subject, found.name) == ("7", "Ann   Reed")
    assert (found.email, found.email_is_proven) == ("Ann@example.org", True)
    assert found.url == "https://ann.example"
    assert found.avatar == "https://cdn.example/ann.png"
    assert (found.badges, found.ignored) == (("staff", "expert"), ())


def test_optional_claims_without_a_usable_value_are_ignored_and_named(client: Client) -> None:
    made = token(
        new_secret(), url="javascript:alert(1)", avatar="http://cdn.example/a.png", roles=["a" * 31]
    )
    found = check_token(demo(), made)
    assert (found.url, found.avatar, found.badges) == (None, None, ())
    assert set(found.ignored) == {"url", "avatar", "roles"}


def test_optional_claims_that_no_database_can_store_are_ignored(client: Client) -> None:
    broken = "https://ann.example/\ud800"
    made = token(new_secret(), url=broken, avatar=broken, roles=["a\ud800", "b\0"])
    found = check_token(demo(), made)
    assert (found.url, found.avatar, found.badges) == (None, None, ())
    assert set(found.ignored) == {"url", "avatar", "roles"}


@pytest.mark.parametrize("kid", ["a\0", "a\ud800", "a" * 3000], ids=ascii)
def test_a_key_id_that_no_secret_can_have_is_refused(client: Client, kid: str) -> None:
    made = token(new_secret(), kid=kid)
    with pytest.raises(WrongToken, match="`kid`"):
        check_token(demo(), made)


@pytest.mark.parametrize("kid", ["", None])
def test_either_of_two_live_secrets_is_accepted(client: Client, kid: str | None) -> None:
    for secret in (new_secret(), new_secret()):
        assert check_token(demo(), token(secret, kid=kid)).subject == "7"


@pytest.mark.parametrize("kid", ["", None])
def test_a_revoked_secret_is_not_accepted(client: Client, kid: str | None) -> None:
    secret, other = new_secret(), new_secret()
    revoke_secret(kid_of(secret), by=BY)
    with pytest.raises(WrongToken, match="was revoked" if kid == "" else "signature"):
        check_token(demo(), token(secret, kid=kid))
    assert check_token(demo(), token(other, kid=kid))


def test_a_token_that_names_another_live_secret_is_refused(client: Client) -> None:
    secret, other = new_secret(), new_secret()
    with pytest.raises(WrongToken, match="signature"):
        check_token(demo(), token(secret, kid=kid_of(other)))


@pytest.mark.parametrize(
    "forged",
    [
        lambda good: token("", kid=None, algorithm="none"),
        lambda good: token("x" * 40, kid=None),
        lambda good: token("x" * 40, kid="12345678"),
        lambda good: token(good, algorithm="HS512"),
        lambda good: token(good)[:-2],
        lambda good: token(good).rpartition(".")[0] + ".",
        lambda good: token(good).replace(".", "..", 1),
        lambda good: "not a token",
        lambda good: "a.b.c",
        lambda good: "é.è.ê",
        lambda good: token(good, pad="x" * MOST_TOKEN),
    ],
)
def test_a_forged_or_broken_token_is_refused(client: Client, forged: Any) -> None:
    with pytest.raises(WrongToken):
        check_token(demo(), forged(new_secret()))


def test_a_site_without_a_secret_accepts_no_token(client: Client) -> None:
    with pytest.raises(WrongToken, match="no secret"):
        check_token(demo(), token("x" * 40))


def test_a_single_use_token_is_accepted_once(client: Client) -> None:
    save_settings(demo().id, Settings(is_single_use=True), by=BY)
    secret = new_secret()
    with pytest.raises(WrongToken, match="`jti`"):
        check_token(demo(), token(secret))
    made = token(secret, jti="once")
    check_token(demo(), made, spend=False)
    check_token(demo(), made)
    for spend in (True, False):
        with pytest.raises(WrongToken, match="used before"):
            check_token(demo(), made, spend=spend)


def test_the_example_of_the_manual_makes_a_token_that_is_accepted(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    guide = (Path(__file__).parents[3] / "docs" / "sign-on.md").read_text(encoding="utf-8")
    example = textwrap.dedent(guide.partition("```python\n")[2].partition("   ```")[0])
    names: dict[str, Any] = {}
    exec(compile(example, "docs/sign-on.md", "exec"), names)
    monkeypatch.setenv("GREENROOM_SSO_SECRET", new_secret())
    user = {"id": 7, "name": "Ann", "email": "ann@example.org", "email_verified": True}
    found = check_token(demo(), names["greenroom_token"]({**user, "roles": ["staff"]}))
    assert (found.subject, found.email_is_proven, found.badges) == ("7", True, ("staff",))
