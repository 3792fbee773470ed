"""The connection to the mail server is encrypted when the server offers it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from smtplib import SMTPNotSupportedError

import pytest

from models.mailing.smtp import can_send, connect
from models.settings import settings
from tests.fakes.certificates import certificate
from tests.fakes.mail_server import MailServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MailServer]:
    with MailServer(certificate=certificate(tmp_path, "127.0.0.1")) as server:
        yield server


def use(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("GREENROOM_SMTP_URL", url)
    settings.cache_clear()


def test_an_offer_of_encryption_is_taken_whatever_the_certificate(
    server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, server.url)
    with connect() as connection:
        connection.noop()
    assert server.encrypted == 1


def test_a_password_is_sent_only_to_a_server_with_the_right_certificate(
    server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, f"smtp://ann:secret@127.0.0.1:{server.port}")
    with pytest.raises(ssl.SSLCertVerificationError):
        connect()


def test_a_password_is_never_sent_unencrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    with MailServer() as server:
        use(monkeypatch, f"smtp://ann:secret@127.0.0.1:{server.port}")
        with pytest.raises(SMTPNotSupportedError, match="offers no encryption"):
            connect()


def test_without_a_mail_server_nothing_can_be_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, "")
    assert not can_send()
