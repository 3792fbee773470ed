"""The bytes of a message, as the mail server gets them."""

from __future__ import annotations

from models.mailing.letter import Letter, Part
from tests.caller import Client
from worker.mail.messages import Subscription, message_of

URL = f"https://comments.example/sites/demo/mail/{'x' * 44}?list=replies"
LETTER = Letter("Ответ\r\nBcc: eve@example.org", [Part("", ["ä" * 300])])


def lines(client: Client) -> list[bytes]:
    subscription = Subscription("replies", "demo", URL)
    message = message_of(
        "01", to="ann@example.org", site="paper", letter=LETTER, subscription=subscription
    )
    return bytes(message).splitlines()


def test_the_url_that_unsubscribes_is_written_literally(client: Client) -> None:
    assert f"List-Unsubscribe: <{URL}>".encode() in lines(client)


def test_a_subject_cannot_add_a_header_and_no_line_is_too_long(client: Client) -> None:
    written = lines(client)
    body = written[written.index(b"") :]
    headers = written[: written.index(b"")]
    assert not [line for line in headers if line.lower().startswith(b"bcc")]
    assert max(map(len, body)) <= 76
    assert max(map(len, written)) < 998
