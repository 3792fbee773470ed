"""A reader proves an address, comments without an account, is answered by mail, and unsubscribes
with one click. The mail server receives real mail.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

from tests.fakes.dns_server import DnsServer
from tests.fakes.mail_server import MailServer, Received
from tests.greenroom import PATIENCE, Running, running, until
from tests.story.test_story import ZONE, ask, eventually, on_page, outcome, write

ANN = "ann@paper.test"
POSTED = "/v1/sites/demo/comments"


def send(up: Running, url: str, form: dict[str, str] | None = None) -> str:
    """Open a link of a mail, or send a form to it, as a browser without cookies does."""
    place = up.url + urlsplit(url)._replace(scheme="", netloc="").geturl()
    content = urlencode(form).encode() if form is not None else None
    with urlopen(Request(place, content), timeout=PATIENCE) as answer:
        return str(answer.read().decode())


def write_as(up: Running, key: str, body: str) -> dict[str, Any]:
    """Post with a reader's key: neither name nor address."""
    headers = {"Content-Type": "application/json", "Greenroom-Identity": key}
    content = json.dumps({"thread": "/demo", "body": body}).encode()
    with urlopen(Request(up.url + POSTED, content, headers), timeout=PATIENCE) as answer:
        return dict(json.load(answer))


def mail_about(server: MailServer, subject: str) -> Received:
    def found() -> list[Received]:
        return [mail for mail in server.to(ANN) if subject in mail.message["Subject"]]

    return eventually(found)[0]  # type: ignore[no-any-return]


def test_a_proven_reader_is_answered_by_mail_and_unsubscribes_with_one_click(
    tmp_path: Any,
) -> None:
    with DnsServer(ZONE) as dns, MailServer() as server:
        variables = dns.environment | {
            "GREENROOM_RATE_LIMITS": "off",
            "GREENROOM_SWEEP_SECONDS": "1",
            "GREENROOM_SMTP_URL": server.url,
            "GREENROOM_MAIL_FROM": "mail@paper.test",
            "GREENROOM_MAIL_DELAY_SECONDS": "0",
        }
        with running(tmp_path / "var", **variables) as up:
            _story(up, server)


def _story(up: Running, server: MailServer) -> None:
    asked = {"email": ANN, "name": "Ann"}
    status, begun = ask(up, "POST", "/v1/sites/demo/confirmations", asked)
    assert status == 202
    link = re.findall(r"http\S+/confirm/link/\S+", mail_about(server, "Confirm").plain)[0]
    assert begun["code"] not in send(up, link)  # opening it proves nothing
    waiting = {"confirmation": begun["confirmation"]}
    assert ask(up, "POST", "/v1/sites/demo/confirmations/key", waiting)[1]["status"] == "waiting"
    send(up, link, {"code": begun["code"]})
    key = ask(up, "POST", "/v1/sites/demo/confirmations/key", waiting)[1]["key"]

    mine = write_as(up, key, "Thank you for this piece. I grew up two streets from the harbour.")
    assert outcome(up, mine)["status"] == "approved"
    until(lambda: on_page(up, mine["id"]))

    first = write(
        up,
        name="Bob",
        email="bob@paper.test",
        parent=mine["id"],
        body="So did I, on the other side of the bridge.",
    )
    mail = mail_about(server, "Bob replied to your comment")
    assert "> So did I, on the other side of the bridge." in mail.plain
    assert "So did I, on the other side of the bridge." in mail.html
    assert f"/sites/demo/c/{first['id']}" in mail.plain

    stop = mail.message["List-Unsubscribe"].strip("<>")
    assert "Do you want to stop these emails?" in send(up, stop)
    assert "no longer get these emails" in send(up, stop, {"List-Unsubscribe": "One-Click"})
    second = write(
        up,
        name="Cleo",
        email="cleo@paper.test",
        parent=mine["id"],
        body="My grandmother sold fish there every Friday morning.",
    )
    until(lambda: on_page(up, second["id"]))
    until(lambda: mails_owed(up) == "0")
    assert not [mail for mail in server.to(ANN) if "Cleo" in mail.message["Subject"]]


def mails_owed(up: Running) -> str:
    with urlopen(f"{up.url}/metrics", timeout=PATIENCE) as answer:
        told = answer.read().decode()
    return str(re.findall(r'greenroom_mails\{state="owed"\} (\d+)', told)[0])
