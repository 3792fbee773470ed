"""Readers who are known comment without an account, are answered by mail, and unsubscribe with one
click: one whom the site signs on, who also edits, and one who proves an address. The mail server
receives real mail.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

import pytest

from tests.fakes.dns_server import DnsServer
from tests.fakes.mail_server import MailServer, Received
from tests.greenroom import PATIENCE, Running, running, until
from tests.service.readers.tokens import token
from tests.story.test_story import ZONE, ask, eventually, on_page, outcome, write

POSTED = "/v1/sites/demo/comments"
TEXT = "Thank you for this piece. I grew up two streets from the harbour."
EDITED = "Thank you for this piece. I grew up two streets from the old harbour."


class Post(NamedTuple):
    """A running Greenroom, and the mail server that it uses."""

    up: Running
    server: MailServer

    def mails(self, address: str, subject: str) -> list[Received]:
        received = self.server.to(address)
        return [mail for mail in received if subject in mail.message["Subject"]]

    def mail(self, address: str, subject: str) -> Received:
        """Wait for the mail."""
        return eventually(lambda: self.mails(address, subject))[0]  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Post]:
    with DnsServer(ZONE) as dns, MailServer() as server:
        variables = dns.environment | {
            "GREENROOM_RATE_LIMITS": "off",
            "GREENROOM_SWEEP_SECONDS": "1",
            "GREENROOM_SMTP_URL": server.url,
            "GREENROOM_MAIL_FROM": "mail@paper.test",
            "GREENROOM_MAIL_DELAY_SECONDS": "0",
        }
        with running(tmp_path_factory.mktemp("mail") / "var", **variables) as up:
            yield Post(up, server)


def test_a_signed_in_reader_edits_is_answered_by_mail_and_unsubscribes_with_one_click(
    post: Post,
) -> None:
    up = post.up
    secret = up.command("sso", "create", "--site", "demo").strip()
    ann = {"sub": "7", "name": "Ann Reed", "email": "ann@paper.test", "email_verified": True}

    mine = write_as(up, token(secret, **ann), TEXT)
    assert outcome(up, mine)["status"] == "approved"
    status, changed = ask(up, "PATCH", mine["receipt"], {"body": EDITED})
    assert status == 200, changed
    until(lambda: EDITED in shown(up, mine["id"]))
    _, log = ask(up, "GET", "/v1/sites/demo/events", key=up.key("moderate"))
    about = [event for event in log["events"] if event["data"]["comment"]["id"] == mine["id"]]
    assert [event["type"] for event in about] == ["comment.approved", "comment.edited"]

    _is_answered_and_unsubscribes(post, "ann@paper.test", mine)


def test_a_proven_reader_is_answered_by_mail_and_unsubscribes_with_one_click(post: Post) -> None:
    up, address = post.up, "dora@paper.test"
    asked = {"email": address, "name": "Dora"}
    status, begun = ask(up, "POST", "/v1/sites/demo/confirmations", asked)
    assert status == 202
    link = re.findall(r"http\S+/confirm/link/\S+", post.mail(address, "Confirm").plain)[0]
    assert begun["code"] not in send(up, link)  # opening it proves nothing
    waiting = {"confirmation": begun["confirmation"]}
    assert ask(up, "POST", "/v1/sites/demo/confirmations/key", waiting)[1]["status"] == "waiting"
    send(up, link, {"code": begun["code"]})
    key = ask(up, "POST", "/v1/sites/demo/confirmations/key", waiting)[1]["key"]

    mine = write_as(up, key, "My father mended nets on that quay until the year it closed.")
    assert outcome(up, mine)["status"] == "approved"
    until(lambda: on_page(up, mine["id"]))
    _is_answered_and_unsubscribes(post, address, mine)


def _is_answered_and_unsubscribes(post: Post, address: str, mine: dict[str, Any]) -> None:
    """Answer the comment, stop the mails with the link in the mail, and answer once more."""
    up = post.up
    text = f"So did I, on the other side of the bridge, as I told {address.partition('@')[0]}."
    first = write(up, name="Bob", email="bob@paper.test", parent=mine["id"], body=text)
    mail = post.mail(address, "Bob replied to your comment")
    assert f"> {text}" in mail.plain
    assert text in mail.html
    assert f"/sites/demo/c/{first['id']}" in mail.plain

    stop = mail.message["List-Unsubscribe"].strip("<>")
    assert mail.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "no longer get these emails" in send(up, stop, {"List-Unsubscribe": "One-Click"})
    second = write(
        up,
        name="Cleo",
        email="cleo@paper.test",
        parent=mine["id"],
        body=f"Her grandmother sold fish there every Friday, {address.partition('@')[0]}.",
    )
    until(lambda: on_page(up, second["id"]))
    until(lambda: mails_owed(up) == "0")
    assert not post.mails(address, "Cleo")


def send(up: Running, url: str, form: dict[str, str] | None = None) -> str:
    """Open a link of a mail, or send a form to it, as a browser without cookies does."""
    place = up.url + urlsplit(url)._replace(scheme="", netloc="").geturl()
    content = urlencode(form).encode() if form is not None else None
    with urlopen(Request(place, content), timeout=PATIENCE) as answer:
        return str(answer.read().decode())


def write_as(up: Running, identity: str, body: str) -> dict[str, Any]:
    """Post with a reader's token or key: neither name nor address."""
    headers = {"Content-Type": "application/json", "Greenroom-Identity": identity}
    content = json.dumps({"thread": "/demo", "body": body}).encode()
    with urlopen(Request(up.url + POSTED, content, headers), timeout=PATIENCE) as answer:
        return dict(json.load(answer))


def shown(up: Running, comment: str) -> str:
    """Return the published HTML of a comment that starts a conversation."""
    _, page = ask(up, "GET", f"{POSTED}?thread=/demo")
    return "".join(each["html"] for each in page["comments"] if each["id"] == comment)


def mails_owed(up: Running) -> str:
    with urlopen(f"{up.url}/metrics", timeout=PATIENCE) as answer:
        told = answer.read().decode()
    return str(re.findall(r'greenroom_mails\{state="owed"\} (\d+)', told)[0])
