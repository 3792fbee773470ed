"""The people of a site and their roles; one of them must be an owner."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from models.records import Act, Moderator, Site
from models.store.database import begin, now, reading
from service.http.problems import Problem
from service.people import accounts, team, tickets
from service.sites import registering

PASSWORD = "correct horse battery"


@pytest.fixture
def people(data: object) -> dict[str, str]:
    """Ids by name: an owner, a moderator and a viewer."""
    for name, role in (("ann", "owner"), ("ben", "moderator"), ("kim", "viewer")):
        accounts.add_moderator(f"{name}@paper.example", "demo", role, PASSWORD)
    with reading() as session:
        ids = session.execute(select(Moderator.email, Moderator.id)).all()
    return {email.partition("@")[0]: id_ for email, id_ in ids}


def site_id() -> int:
    with reading() as session:
        return session.scalars(select(Site.id).where(Site.key == "demo")).one()


def roles() -> dict[str, str]:
    with reading() as session:
        rows = [team.member_shape(row) for row in session.execute(team.members(site_id()))]
    return {row["email"].partition("@")[0]: row["role"] for row in rows}


def set_role(moderator_id: str, role: str | None) -> str:
    with begin() as session:
        return team.set_role(session, site_id(), moderator_id, role, by="moderator:x")


def test_members_are_in_the_order_of_their_emails(people: dict[str, str]) -> None:
    assert list(roles().items()) == [("ann", "owner"), ("ben", "moderator"), ("kim", "viewer")]


def test_changing_and_removing_a_role_is_logged(people: dict[str, str]) -> None:
    assert set_role(people["kim"], "moderator") == "kim@paper.example"
    assert set_role(people["ben"], None) == "ben@paper.example"
    assert roles() == {"ann": "owner", "kim": "moderator"}
    with reading() as session:
        acts = session.scalars(select(Act.what).order_by(Act.id)).all()
    assert acts == [
        "changed the role of kim@paper.example from viewer to moderator",
        "removed ben@paper.example",
    ]


@pytest.mark.parametrize("role", ["moderator", "viewer", None])
def test_the_last_owner_stays(people: dict[str, str], role: str | None) -> None:
    with pytest.raises(Problem, match="needs at least one owner") as refused:
        set_role(people["ann"], role)
    assert refused.value.status == 409
    set_role(people["ben"], "owner")
    set_role(people["ann"], role)
    assert roles()["ben"] == "owner"


@pytest.mark.parametrize("whom", ["x", "01a222ec-5bd7-765a-afa5-bb5313e5aa1b"])
def test_a_stranger_has_no_role(people: dict[str, str], whom: str) -> None:
    with pytest.raises(Problem) as refused:
        set_role(whom, "owner")
    assert refused.value.status == 404


def test_someone_of_another_site_is_a_stranger(people: dict[str, str]) -> None:
    registering.add_site("other", ["https://other.example"])
    accounts.add_moderator("eve@other.example", "other", "owner", PASSWORD)
    with reading() as session:
        eve = session.scalars(
            select(Moderator.id).where(Moderator.email == "eve@other.example")
        ).one()
    with pytest.raises(Problem, match="no role on this site"):
        set_role(eve, "owner")


def test_an_invitation_is_listed_until_it_is_used(data: object) -> None:
    link = tickets.invite("ben@paper.example", "demo", "viewer", by="moderator:x")
    with reading() as session:
        (waiting,) = [
            team.ticket_shape(ticket) for ticket in session.scalars(team.invited(site_id()))
        ]
    assert (waiting["email"], waiting["role"]) == ("ben@paper.example", "viewer")
    assert waiting["at"] < waiting["until"]
    assert link.rpartition("/")[2] not in str(waiting)
    tickets.use(link.rpartition("/")[2], PASSWORD)
    with reading() as session:
        assert session.scalars(team.invited(site_id())).all() == []
    assert now().isoformat() > waiting["at"]
