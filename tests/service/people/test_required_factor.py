"""A site that requires a second factor, and the people who have none."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from models.records import Act, Moderator, Site
from models.store.database import begin, reading
from service.http.problems import Problem
from service.people import accounts, required_factor
from service.sites import registering
from tests.caller import Caller, Client, posted
from tests.service.signed_in import LINKS, PASSWORD, SignedIn

ANN, BEN = "ann@paper.example", "ben@paper.example"


def site_id() -> int:
    with reading() as session:
        return session.scalars(select(Site.id).where(Site.key == "demo")).one()


def give_factor(email: str) -> str:
    """The id of someone who now has a second factor; no test here needs its codes."""
    has_one = update(Moderator).where(Moderator.email == email).values(second_factor=b"sealed")
    with begin() as session:
        return session.scalars(has_one.returning(Moderator.id)).one()


def require(required: bool = True, *, owner_id: str | None = None) -> None:
    with begin() as session:
        required_factor.require(session, site_id(), required, by="moderator:x", owner_id=owner_id)


def test_an_owner_requires_it_only_with_one_of_their_own(data: object) -> None:
    for email in (ANN, BEN):
        accounts.add_moderator(email, "demo", "owner", PASSWORD)
    with pytest.raises(Problem, match="No owner of this site") as refused:
        require()
    assert refused.value.status == 409
    ann = give_factor(ANN)
    with reading() as session:
        ben = session.scalars(select(Moderator.id).where(Moderator.email == BEN)).one()
    with pytest.raises(Problem, match="your own second factor first"):
        require(owner_id=ben)
    require(owner_id=ann)
    require(owner_id=ben)  # it is on already
    require(False, owner_id=ben)
    with reading() as session:
        assert not required_factor.is_required(session, site_id())
        assert session.scalars(select(Act.what).order_by(Act.id)).all() == [
            "required a second factor from everyone",
            "stopped requiring a second factor",
        ]


def test_a_moderator_with_a_second_factor_is_no_owner_with_one(data: object) -> None:
    accounts.add_moderator(BEN, "demo", "moderator", PASSWORD)
    ben = give_factor(BEN)
    with pytest.raises(Problem):
        require(owner_id=ben)


@pytest.fixture
def ben(client: Client) -> SignedIn:
    """A moderator without a second factor on a site whose owner requires one."""
    ben = SignedIn(client, BEN, role="moderator")
    accounts.add_moderator(ANN, "demo", "owner", PASSWORD)
    give_factor(ANN)
    require()
    return ben


@pytest.mark.parametrize("path", ["/", "/people", "/log", "/blocks", "/settings", "/c/1", "/rows"])
def test_without_one_every_page_leads_to_the_account(ben: SignedIn, path: str) -> None:
    answer = ben.client.get(f"/console{path}")
    assert answer.status_code == 303
    assert answer.headers["Location"].partition("?")[0] == "/console/account"
    page = ben.get("/account")
    assert "demo requires a second factor, and you have none yet." in page
    assert "Turn one on here to continue." in page


def test_without_a_second_factor_nothing_is_decided(ben: SignedIn, moderator: Caller) -> None:
    comment = posted(ben.client, body=LINKS)
    answer = ben.form(f"/comments/{comment}/decisions", verdict="approve", version="1")
    assert answer.status_code == 403
    assert "demo requires it" in answer.text
    assert moderator.record(comment)["status"] == "pending"


def test_two_sites_require_it_together(ben: SignedIn) -> None:
    registering.add_site("other", ["https://other.example"])
    accounts.add_moderator(BEN, "other", "moderator")
    with begin() as session:
        row = session.scalars(select(Site).where(Site.key == "other")).one()
        row.second_factor_required = True
    assert "demo and other require it" in ben.form("/seen").text


def test_with_one_the_site_opens_at_once(ben: SignedIn) -> None:
    give_factor(BEN)
    assert "a second factor, and you have none" not in ben.get("/people")


def test_only_the_site_that_requires_it_is_closed(ben: SignedIn) -> None:
    registering.add_site("other", ["https://other.example"])
    accounts.add_moderator(BEN, "other", "owner")
    page = ben.get("/people")
    assert "Turn one on in your account" in page
    assert ANN not in page
    assert ben.form("/settings/demo", do="try", text="x").status_code == 403
    assert ben.form("/settings/other", do="try", version="1", text="x").status_code == 200
    closed = ben.client.get("/console/sites/demo/keys")
    assert closed.status_code == 303
    assert closed.headers["Location"].partition("?")[0] == "/console/account"


def test_a_program_turns_it_on_and_off(ben: SignedIn, client: Client) -> None:
    admin = Caller(client, accounts.create_key("demo", "admin"))
    assert admin.call("GET", "/sign-in").json == {"second_factor_required": True}
    off = {"second_factor_required": False}
    assert admin.call("PUT", "/sign-in", json=off).json == off
    assert ben.client.get("/console/people").status_code == 200
