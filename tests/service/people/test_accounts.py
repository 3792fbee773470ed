"""Moderators' accounts, as the command line makes them."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from models.records import ApiKey, Membership, Moderator
from models.store.database import reading
from service.people import accounts
from service.sites import registering

PASSWORD = "correct horse battery"
ANN = "ann@paper.example"


def moderator() -> Moderator:
    with reading() as session:
        return session.scalars(select(Moderator).where(Moderator.email == ANN)).one()


def test_a_new_moderator_gets_a_password_for_one_sign_in(data: object) -> None:
    password = accounts.add_moderator("Ann@Paper.Example", "demo", "owner")
    assert moderator().must_change_password
    assert password not in moderator().password_hash
    assert accounts.check_password(ANN, password) is not None
    assert accounts.check_password(f" {ANN.upper()} ", password) is not None
    accounts.change_password(moderator().id, "another horse battery staple")
    assert not moderator().must_change_password
    assert accounts.check_password(ANN, password) is None


def test_someone_with_an_account_keeps_their_password_on_another_site(data: object) -> None:
    registering.add_site("other", ["https://other.example"])
    accounts.add_moderator(ANN, "demo", "owner", PASSWORD)
    assert accounts.add_moderator(ANN, "other", "viewer") == ""
    assert accounts.check_password(ANN, PASSWORD) is not None
    with reading() as session:
        roles = session.scalars(select(Membership.role).order_by(Membership.role)).all()
    assert roles == ["owner", "viewer"]


def test_a_second_role_on_a_site_takes_the_place_of_the_first(data: object) -> None:
    accounts.add_moderator(ANN, "demo", "viewer", PASSWORD)
    accounts.add_moderator(ANN, "demo", "moderator")
    with reading() as session:
        assert session.scalars(select(Membership.role)).all() == ["moderator"]


@pytest.mark.parametrize("email", ["ann", "ann@", "@paper.example", "a b@paper.example"])
def test_an_account_needs_an_address(data: object, email: str) -> None:
    with pytest.raises(ValueError, match=r"@|email|address|space"):
        accounts.add_moderator(email, "demo", "owner")


def test_a_moderator_without_a_site_is_refused_with_advice(data: object) -> None:
    with pytest.raises(ValueError, match="greenroom site add nowhere --origin URL"):
        accounts.add_moderator(ANN, "nowhere", "owner")


def test_an_unknown_account_and_a_wrong_password_are_refused(data: object) -> None:
    assert accounts.check_password("nobody@paper.example", PASSWORD) is None
    accounts.add_moderator(ANN, "demo", "owner", PASSWORD)
    assert accounts.check_password(ANN, PASSWORD + "x") is None


def test_only_a_keys_hash_is_stored(data: object) -> None:
    key = accounts.create_key("demo", "read")
    assert key.startswith("gr_")
    with reading() as session:
        row = session.scalars(select(ApiKey)).one()
    assert (row.scope, row.hint) == ("read", key[:7])
    assert key not in row.hash
    with pytest.raises(ValueError, match="There is no site"):
        accounts.create_key("nowhere", "read")


def test_a_later_start_makes_no_owner_and_the_demos_origins_follow_the_port(data: object) -> None:
    assert accounts.first_start("http://127.0.0.1:8123") is None
    origins = dict(registering.list_sites())["demo"]
    assert origins == [
        "http://127.0.0.1:8123",
        "http://localhost:8123",
        "https://paper.example",
    ]
