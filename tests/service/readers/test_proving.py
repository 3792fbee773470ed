"""A reader proves an address: only with the code, and only for the browser that shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from models.records import Block, Mail, Proof, ReaderKey
from models.settings import settings
from models.store.database import begin, now, reading
from models.store.secrets import email_index
from service.readers import proving
from service.readers.reader_keys import keys_of, reader_of_key, revoke_key
from service.sites.lookup import SiteInfo, find_site
from tests.caller import Client
from tests.fakes.mail_server import MailServer
from worker.mail import sending

ADDRESS = "Ann@Example.org"


@pytest.fixture
def server(client: Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    with MailServer() as server:
        monkeypatch.setenv("GREENROOM_SMTP_URL", server.url)
        settings.cache_clear()
        yield server


@pytest.fixture
def site(server: MailServer) -> SiteInfo:
    site = find_site("demo")
    assert site is not None
    return site


def ask(site: SiteInfo, email: str = ADDRESS) -> proving.Asked:
    return proving.ask(site, proving.NewProof(email=email, name="Ann"))


def mailed_link(server: MailServer) -> str:
    sending.send_now()
    return re.findall(r"/confirm/link/([\w-]+)", server.received[-1].plain)[0]


def test_the_code_behind_the_mailed_link_proves_the_address(
    site: SiteInfo, server: MailServer
) -> None:
    asked = ask(site)
    assert proving.claim(site, asked.secret).status == "waiting"
    link = mailed_link(server)
    assert server.received[0].message["To"] == "Ann@example.org"
    assert proving.is_open(site, link)
    assert proving.confirm(site, link, f"{asked.code[:3]} {asked.code[3:]}") == "confirmed"
    claimed = proving.claim(site, asked.secret)
    assert claimed.status == "confirmed"
    assert claimed.key is not None
    assert claimed == proving.claim(site, asked.secret)  # an answer may be lost
    reader = reader_of_key(site.id, claimed.key)
    assert reader is not None
    assert (reader.kind, reader.name) == ("proven", "Ann")


def test_opening_the_link_proves_nothing(
    site: SiteInfo, server: MailServer, client: Client
) -> None:
    asked = ask(site)
    page = client.get(f"/sites/demo/confirm/link/{mailed_link(server)}")
    assert page.status_code == 200
    assert asked.code not in page.text
    assert proving.claim(site, asked.secret).status == "waiting"


def test_nobody_can_try_many_codes(site: SiteInfo, server: MailServer) -> None:
    asked = ask(site)
    link, wrong = mailed_link(server), "000000" if asked.code != "000000" else "111111"
    answers = [proving.confirm(site, link, wrong) for _ in range(6)]
    assert answers == ["wrong"] * 5 + ["ended"]
    assert proving.confirm(site, link, asked.code) == "ended"
    assert proving.claim(site, asked.secret).status == "ended"


def test_requests_of_a_stranger_do_not_displace_the_owners(
    site: SiteInfo, server: MailServer
) -> None:
    asked = ask(site)
    link = mailed_link(server)
    for _ in range(20):  # as many as one IP address may send in an hour
        ask(site)
    assert proving.confirm(site, link, asked.code) == "confirmed"
    assert proving.claim(site, asked.secret).status == "confirmed"


def test_an_address_gets_one_mail_an_hour_and_its_link_serves_every_request(
    site: SiteInfo, server: MailServer
) -> None:
    with time_machine.travel(now()) as clock:
        first, second = ask(site), ask(site, "ann@example.org")
        link = mailed_link(server)
        assert len(server.received) == 1
        assert proving.confirm(site, link, second.code) == "confirmed"
        assert proving.claim(site, first.secret).status == "waiting"
        assert proving.claim(site, second.secret).status == "confirmed"
        clock.shift(timedelta(minutes=61))
        ask(site)
        sending.send_now()
        assert len(server.received) == 2


def test_a_request_and_its_key_end(site: SiteInfo, server: MailServer) -> None:
    with time_machine.travel(now()) as clock:
        asked = ask(site)
        link = mailed_link(server)
        clock.shift(timedelta(hours=3))
        assert not proving.is_open(site, link)
        assert proving.confirm(site, link, asked.code) == "ended"


def test_a_revoked_key_cannot_be_fetched_again(site: SiteInfo, server: MailServer) -> None:
    asked = ask(site)
    proving.confirm(site, mailed_link(server), asked.code)
    key = proving.claim(site, asked.secret).key
    assert key is not None
    reader = reader_of_key(site.id, key)
    assert reader is not None
    with begin() as session:
        revoke_key(session, reader.id, keys_of(session, reader.id)[0].id)
    assert reader_of_key(site.id, key) is None
    assert proving.claim(site, asked.secret).status == "ended"


def test_what_is_stored_opens_nothing(site: SiteInfo, server: MailServer) -> None:
    asked = ask(site)
    link = mailed_link(server)
    proving.confirm(site, link, asked.code)
    key = proving.claim(site, asked.secret).key or ""
    with reading() as session:
        rows: list[Any] = [*session.scalars(select(Proof)), *session.scalars(select(ReaderKey))]
        stored = repr([vars(row) for row in rows]) + repr(
            [vars(mail) for mail in session.scalars(select(Mail))]
        )
    for secret in (asked.secret, asked.code, link, key, "example.org", "Example.org"):
        assert secret not in stored


@pytest.mark.parametrize("kind", ["host", "author"])
def test_a_blocked_reader_gets_no_mail_and_the_same_answer(
    site: SiteInfo, server: MailServer, kind: str
) -> None:

    value = "example.org" if kind == "host" else email_index(ADDRESS)
    with begin() as session:
        session.add(
            Block(site_id=site.id, kind=kind, stance="block", value=value, label="x", by="policy")
        )
    asked = ask(site)
    sending.send_now()
    assert server.received == []
    assert proving.claim(site, asked.secret).status == "waiting"


def test_disposable_addresses_are_refused(client: Client, server: MailServer) -> None:
    answer = client.post("/v1/sites/demo/confirmations", json={"email": "ann@mailinator.com"})
    assert answer.status_code == 422
    assert "mailinator.com provides disposable addresses" in answer.text


def test_the_api_leads_to_a_key_that_identifies_the_reader(
    client: Client, server: MailServer
) -> None:
    begun: Any = client.post(
        "/v1/sites/demo/confirmations", json={"email": ADDRESS, "name": "Ann"}
    ).json
    asking = {"confirmation": begun["confirmation"]}
    answer: Any = client.post("/v1/sites/demo/confirmations/key", json=asking).json
    assert answer == {"status": "waiting", "key": None}
    page = f"/sites/demo/confirm/link/{mailed_link(server)}"
    assert client.post(page, data={"code": begun["code"]}).status_code == 200
    key = client.post("/v1/sites/demo/confirmations/key", json=asking).json["key"]  # type: ignore[index]
    headers = {"Greenroom-Identity": key}
    followed = client.get("/v1/sites/demo/following?thread=/harbour", headers=headers)
    assert followed.json == {"following": False}
    headers = {"Greenroom-Identity": "rk_wrong"}
    assert client.get("/v1/sites/demo/following?thread=/x", headers=headers).status_code == 401


def test_without_javascript_the_page_with_the_code_leads_on(
    client: Client, server: MailServer
) -> None:
    form = client.get("/sites/demo/confirm?thread=/harbour").text
    token = re.findall(r'name="token" value="([^"]+)"', form)[0]
    fields = {"email": ADDRESS, "name": "Ann", "token": token}
    assert client.post("/sites/demo/confirm", data=fields | {"email": "no"}).status_code == 422
    moved = client.post("/sites/demo/confirm?thread=/harbour", data=fields)
    assert moved.status_code == 303
    waiting = client.get(moved.location).text
    assert 'http-equiv="refresh"' in waiting
    code = "".join(re.findall(r"<b>(\d{3}) (\d{3})</b>", waiting)[0])
    page = f"/sites/demo/confirm/link/{mailed_link(server)}"
    assert client.post(page, data={"code": "1"}).status_code == 422
    assert client.post(page, data={"code": code}).status_code == 200
    ready = client.get(moved.location).text
    key = re.findall(r'name="identity" value="(rk_\w+)"', ready)[0]
    thread = client.post("/sites/demo/thread?thread=/harbour", data={"identity": key}).text
    assert f'name="identity" value="{key}"' in thread
    assert 'name="email"' not in thread
    assert client.post("/sites/demo/mine", data={"identity": key}).status_code == 200
    erasing = {"identity": key, "do": "erase"}
    assert client.post("/sites/demo/mine", data=erasing).status_code == 200
    assert client.post("/sites/demo/mine", data={"identity": key}).status_code == 401


def test_without_a_mail_server_no_address_can_be_confirmed(client: Client) -> None:
    assert client.get("/sites/demo/confirm").status_code == 404
    answer = client.post("/v1/sites/demo/confirmations", json={"email": ADDRESS})
    assert answer.status_code == 409
