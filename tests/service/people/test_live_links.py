"""Every live link with everything that can happen later: the link ends exactly when it should."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from models.records import Moderator, Site, Ticket
from models.store.database import begin, reading
from service.people import accounts, team, tickets
from service.sites import registering

PASSWORD, OTHER_PASSWORD = "correct horse battery", "another horse battery staple"
ANN, BEN, NEW = "ann@paper.example", "ben@paper.example", "new@paper.example"


def ids(email: str, site: str = "demo") -> tuple[int, str]:
    """Return the ids of the site and of the person."""
    with reading() as session:
        site_id = session.scalars(select(Site.id).where(Site.key == site)).one()
        return site_id, session.scalars(select(Moderator.id).where(Moderator.email == email)).one()


def by(email: str) -> str:
    return f"moderator:{ids(email)[1]}"


def token_of(link: str) -> str:
    return link.rpartition("/")[2]


def set_role(email: str, role: str | None) -> None:
    site_id, moderator_id = ids(email)
    with begin() as session:
        team.set_role(session, site_id, moderator_id, role, by="x")


def withdraw() -> None:
    site_id, _ = ids(ANN)
    with begin() as session:
        (invitation,) = session.scalars(team.invited(site_id))
        tickets.withdraw(session, site_id, invitation.id, by="x")


def send_again() -> None:
    site_id, _ = ids(ANN)
    with begin() as session:
        (invitation,) = session.scalars(team.invited(site_id))
        tickets.invite_again(session, site_id, invitation.id, by="x")


def use_newer(make: Callable[[], str]) -> None:
    assert tickets.use(token_of(make()), OTHER_PASSWORD)


# Ben is a viewer of `demo`, and of nothing else. Ann owns both sites.
LINKS: dict[str, Callable[[], str]] = {
    "reset": lambda: tickets.reset(BEN, by="the form"),
    "as viewer": lambda: tickets.invite(BEN, "demo", "viewer", by=by(ANN)),
    "as owner": lambda: tickets.invite(BEN, "demo", "owner", by=by(ANN)),
    "other site": lambda: tickets.invite(BEN, "other", "owner", by=by(ANN)),
    "ann's reset": lambda: tickets.reset(ANN, by="the form"),
    "ben's guest": lambda: tickets.invite(NEW, "demo", "owner", by=by(BEN)),
}
RESETS, HERE, ALL_OF_BEN = (
    {"reset"},
    {"as viewer", "as owner"},
    set(LINKS)
    - {
        "ann's reset",
        "ben's guest",
    },
)
# What happens later, and the links that must end with it. All others still work.
AFTER: dict[str, tuple[Callable[[], object], set[str]]] = {
    "nothing": (lambda: None, set()),
    "a newer reset": (LINKS["reset"], RESETS),
    "a newer invitation": (LINKS["as viewer"], HERE),
    "a newer invitation to another site": (LINKS["other site"], {"other site"}),
    "a newer reset is used": (lambda: use_newer(LINKS["reset"]), ALL_OF_BEN),
    "a newer invitation is used": (
        lambda: use_newer(LINKS["as viewer"]),
        {*RESETS, *HERE, "ben's guest"},
    ),
    "a newer invitation as owner is used": (lambda: use_newer(LINKS["as owner"]), RESETS | HERE),
    "a newer invitation to another site is used": (
        lambda: use_newer(LINKS["other site"]),
        {*RESETS, "other site"},
    ),
    "the password is changed": (
        lambda: accounts.change_password(ids(BEN)[1], OTHER_PASSWORD),
        ALL_OF_BEN,
    ),
    "the operator sets the password": (
        lambda: accounts.add_moderator(BEN, "demo", "viewer", OTHER_PASSWORD),
        {*ALL_OF_BEN, "ben's guest"},
    ),
    "the role is changed": (lambda: set_role(BEN, "moderator"), {*RESETS, *HERE, "ben's guest"}),
    "becomes an owner": (lambda: set_role(BEN, "owner"), RESETS | HERE),
    "the operator changes the role": (
        lambda: accounts.add_moderator(BEN, "demo", "moderator"),
        {*RESETS, *HERE, "ben's guest"},
    ),
    "removed": (lambda: set_role(BEN, None), {*RESETS, *HERE, "ben's guest"}),
}


@pytest.fixture
def people(data: object) -> None:
    registering.add_site("other", ["https://other.example"])
    for site in ("demo", "other"):
        accounts.add_moderator(ANN, site, "owner", PASSWORD)
    accounts.add_moderator(BEN, "demo", "viewer", PASSWORD)


@pytest.mark.parametrize("after", AFTER)
@pytest.mark.parametrize("alive", LINKS)
def test_a_link_ends_exactly_when_it_should(people: None, alive: str, after: str) -> None:
    token = token_of(LINKS[alive]())
    happens, ended = AFTER[after]
    happens()
    assert (tickets.find(token) is None) == (alive in ended)
    assert tickets.use(token, OTHER_PASSWORD) == (alive not in ended)


@pytest.mark.parametrize("end", [withdraw, send_again])
@pytest.mark.parametrize("alive", ["as viewer", "as owner"])
def test_an_invitation_ends_when_it_is_withdrawn_or_sent_again(
    people: None, alive: str, end: Callable[[], None]
) -> None:
    token, elsewhere = (token_of(LINKS[name]()) for name in (alive, "other site"))
    end()
    assert not tickets.use(token, PASSWORD)
    assert tickets.find(elsewhere) is not None


def test_a_used_or_voided_link_leaves_no_row(people: None) -> None:
    for make in LINKS.values():
        make()
    assert tickets.use(token_of(LINKS["reset"]()), OTHER_PASSWORD)
    with reading() as session:
        assert set(session.scalars(select(Ticket.email))) == {ANN, NEW}
