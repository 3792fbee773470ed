"""Links that work once: an invitation to a site, and a new password."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from models.records import Act, ConsoleSession, Membership, Moderator, Ticket
from models.store.database import begin, now, reading
from service.people import accounts, tickets
from service.sites import registering

PASSWORD = "correct horse battery"
ANN = "ann@paper.example"


def token_of(link: str) -> str:
    return link.rpartition("/")[2]


def roles() -> dict[str, str]:
    wanted = select(Moderator.email, Membership.role).join(
        Membership, Membership.moderator_id == Moderator.id
    )
    with reading() as session:
        return dict(session.execute(wanted).all())


def acts() -> list[str]:
    with reading() as session:
        return list(session.scalars(select(Act.what).order_by(Act.id)))


def test_an_invitation_makes_an_account_once(data: object) -> None:
    link = tickets.invite("Ann@Paper.example", "demo", "moderator", by="moderator:x")
    token = token_of(link)
    ticket = tickets.find(token)
    assert ticket is not None
    assert tickets.is_new_account(ticket)
    assert tickets.use(token, PASSWORD)
    assert roles() == {ANN: "moderator"}
    assert accounts.check_password(ANN, PASSWORD) is not None
    assert tickets.find(token) is None
    assert not tickets.use(token, "another horse battery")
    assert accounts.check_password(ANN, PASSWORD) is not None
    assert acts() == [f"invited {ANN} as moderator", "joined as moderator"]


def test_someone_with_an_account_joins_another_site_with_the_password_they_have(
    data: object,
) -> None:
    registering.add_site("other", ["https://other.example"])
    accounts.add_moderator(ANN, "other", "viewer", PASSWORD)
    token = token_of(tickets.invite(ANN, "demo", "owner", by="moderator:x"))
    ticket = tickets.find(token)
    assert ticket is not None
    assert not tickets.is_new_account(ticket)
    assert tickets.use(token, "")
    assert accounts.check_password(ANN, PASSWORD) is not None


def test_a_reset_ends_every_session_and_sets_the_password(data: object) -> None:
    accounts.add_moderator(ANN, "demo", "owner", PASSWORD)
    with begin() as session:
        ann = session.scalars(select(Moderator)).one()
        later = now() + timedelta(hours=1)
        session.add(ConsoleSession(hash="0" * 64, moderator_id=ann.id, expires_at=later))
    token = token_of(tickets.reset(f" {ANN.upper()} ", by="moderator:x"))
    with pytest.raises(ValueError, match="at least"):
        tickets.use(token, "short")
    assert tickets.use(token, "another horse battery staple")
    assert accounts.check_password(ANN, PASSWORD) is None
    assert accounts.check_password(ANN, "another horse battery staple") is not None
    with reading() as session:
        assert session.scalars(select(ConsoleSession)).all() == []
    assert acts() == ["chose a new password with a link"]


@pytest.mark.parametrize(("kind", "days"), [("invitation", 7), ("reset", 1 / 24)])
def test_a_link_expires(data: object, kind: str, days: float) -> None:
    accounts.add_moderator(ANN, "demo", "owner", PASSWORD)
    make = {
        "invitation": lambda: tickets.invite("ben@paper.example", "demo", "viewer", by="x"),
        "reset": lambda: tickets.reset(ANN, by="x"),
    }
    token = token_of(make[kind]())
    with time_machine.travel(now() + timedelta(days=days, seconds=-30), tick=False):
        assert tickets.find(token) is not None
    with time_machine.travel(now() + timedelta(days=days, seconds=30), tick=False):
        assert tickets.find(token) is None
        assert not tickets.use(token, PASSWORD)


@pytest.mark.parametrize(("email", "site"), [("nobody", "demo"), (ANN, "elsewhere")])
def test_nobody_is_invited_to_an_unknown_site(data: object, email: str, site: str) -> None:
    with pytest.raises(ValueError, match=r"There is no site|email"):
        tickets.invite(email, site, "viewer", by="x")


def test_an_unknown_account_cannot_be_reset(data: object) -> None:
    with pytest.raises(ValueError, match="There is no account"):
        tickets.reset(ANN, by="x")


def test_the_database_does_not_hold_the_link(data: object) -> None:
    token = token_of(tickets.invite(ANN, "demo", "viewer", by="x"))
    with reading() as session:
        ticket = session.scalars(select(Ticket)).one()
    assert token not in f"{ticket.hash}{ticket.email}{ticket.by}"
    assert tickets.find(token[:-1]) is None
