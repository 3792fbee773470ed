"""A reader chooses mails with the link in each of them, and stops them with one click."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from models.mailing.choices import DEFAULT, choices_of, choices_token, reader_of_token
from models.records import Reader, Thread
from models.store.database import begin, reading
from models.store.secrets import email_index, encrypt_email
from service.http.problems import Problem
from service.readers import following, mail_choices
from service.readers.identity import Identity
from service.sites.lookup import SiteInfo, find_site
from tests.caller import Client, posted

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def reader(client: Client) -> str:
    index = email_index("ann@example.org")
    with begin() as session:
        reader = Reader(site_id=1, kind="proven", subject="ann", name="Ann", email_index=index)
        reader.email = encrypt_email("ann@example.org")
        session.add(reader)
        session.flush()
        return reader.id


@pytest.fixture
def site(reader: str) -> SiteInfo:
    site = find_site("demo")
    assert site is not None
    return site


@pytest.fixture
def page(reader: str) -> str:
    return f"/sites/demo/mail/{choices_token(reader)}"


def chosen() -> tuple[str, str, str]:
    key = (1, email_index("ann@example.org"))
    with reading() as session:
        return choices_of(session, [key]).get(key, DEFAULT)[:3]


def followers() -> int:
    with reading() as session:
        return session.scalars(select(Thread.followers)).one()


def known(reader: str) -> Identity:
    return Identity(reader, "proven", "Ann", "ann@example.org", None, (), True)


def test_a_token_names_its_reader_and_nothing_else(reader: str) -> None:
    token = choices_token(reader)
    assert reader_of_token(token) == reader
    for wrong in (token[:-2] + "AA", token[:20], "", "ä", "=" * 50, token + "x"):
        assert reader_of_token(wrong) is None


def test_opening_the_page_changes_nothing(client: Client, page: str) -> None:
    text = client.get(f"{page}?list=replies").text
    assert "Do you want to stop these emails?" in text
    assert chosen() == ("now", "now", "now")


def test_one_click_acts_at_once_without_a_question(client: Client, page: str) -> None:
    answer = client.post(f"{page}?list=replies", data=ONE_CLICK)
    assert answer.status_code == 200
    assert chosen() == ("off", "now", "now")
    client.post(page, data=ONE_CLICK)
    assert chosen() == ("off", "off", "off")


def test_choices_are_saved_and_wrong_ones_change_nothing(client: Client, page: str) -> None:
    form = {"do": "choose", "replies": "daily", "decisions": "sometimes", "threads": "off"}
    assert "Your changes are saved." in client.post(page, data=form).text
    assert chosen() == ("daily", "now", "off")


def test_a_wrong_token_is_a_page_that_does_not_exist(client: Client, page: str) -> None:
    assert client.get(f"{page}x").status_code == 404
    assert client.post(f"{page}x", data=ONE_CLICK).status_code == 404
    assert client.post(f"{page}x", data={"do": "choose"}).status_code == 404


def test_stopping_a_thread_s_mails_stops_only_that_thread(
    client: Client, page: str, site: SiteInfo, reader: str
) -> None:
    posted(client)
    following.follow(site, known(reader), "/harbour", follows=True)
    following.follow(site, known(reader), "/harbour", follows=True)
    assert followers() == 1
    assert "/harbour" in client.get(page).text
    with reading() as session:
        thread_id = session.scalars(select(Thread.id)).one()
    client.post(f"{page}?list=thread-{thread_id}", data=ONE_CLICK)
    assert followers() == 0
    assert chosen() == ("now", "now", "now")
    assert not following.follows(site, known(reader), "/harbour")


def test_only_a_proven_reader_follows_a_thread_that_has_a_comment(
    client: Client, site: SiteInfo, reader: str
) -> None:

    with pytest.raises(Problem) as none:
        following.follow(site, known(reader), "/nothing", follows=True)
    assert none.value.status == 404
    posted(client)
    with pytest.raises(Problem) as unproven:
        following.follow(
            site, known(reader)._replace(email_is_proven=False), "/harbour", follows=True
        )
    assert unproven.value.status == 409


def test_an_erased_reader_has_no_page(client: Client, page: str, reader: str) -> None:
    with begin() as session:
        session.get_one(Reader, reader).erased_at = session.get_one(Reader, reader).created_at
    assert client.get(page).status_code == 404
    site = find_site("demo")
    assert site is not None
    assert mail_choices.read_choices(site, choices_token(reader)) is None
