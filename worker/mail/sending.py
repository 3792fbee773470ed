"""The mail sender: one thread that exists only while mails are due, and sends them in rounds.

A round sends a few mails over one connection and lasts a limited time. The sender never takes more
than a part of the processor, because the same process screens comments. While the mail server does
not answer, it pauses: the rows are due, and the sweep wakes it again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from models.mailing.smtp import can_send, connect
from models.store.database import now, reading
from worker.mail.rounds import Due, Result, any_due, claim, record

if TYPE_CHECKING:
    from smtplib import SMTP

    from worker.mail.letters import Job

ROUND_SECONDS = 60.0  # begin no mail after that
# A server that sends one byte at a time keeps smtplib waiting forever, so the connection is closed
# then, well before the lease expires.
MOST_SECONDS = 120.0
# Pause after this many times the CPU time that a mail has taken.
RESTS = 4
FIRST_PAUSE_SECONDS, MOST_PAUSE_SECONDS = 2.0, 60.0
END_SECONDS = 2.0
log = structlog.get_logger()


class MailSender(threading.Thread):
    def __init__(self) -> None:
        super().__init__(name="mail-sender", daemon=True)
        self.ending = threading.Event()
        self._pause = 0.0

    def run(self) -> None:
        """Send until nothing is due."""
        try:
            while not self.ending.is_set() and any_due(now()):
                self._after(self.round())
        except Exception as error:  # the database is down; the sweep begins again
            log.exception("mail.failed", exc_info=error)

    def _after(self, reached: bool) -> None:
        """Pause ever longer while the server cannot be reached."""
        if reached:
            self._pause = 0.0
            return
        self._pause = min(max(FIRST_PAUSE_SECONDS, 2 * self._pause), MOST_PAUSE_SECONDS)
        self.ending.wait(self._pause)

    def round(self) -> bool:
        """Claim a few mails, send them and write down what became of them. Return False if the mail
        server could not be reached.
        """
        from worker.mail.followers import is_for_followers, tell_followers  # noqa: PLC0415
        from worker.mail.letters import plan  # noqa: PLC0415 - needs memory, and mail is rare

        mails = claim(now())
        if not mails:
            return True
        told = [tell_followers(mail, now()) for mail in mails if is_for_followers(mail)]
        with reading() as session:
            others = [mail for mail in mails if not is_for_followers(mail)]
            jobs, results = plan(session, others, now())
        results += told
        sent, reached = self._send_all(jobs)
        record([*results, *sent])
        return reached

    def _send_all(self, jobs: Sequence[Job]) -> tuple[list[Result], bool]:
        from smtplib import SMTPException  # noqa: PLC0415 - mail is rare

        if not jobs:
            return [], True
        began = time.monotonic()
        try:
            connection = connect()
        except (OSError, SMTPException, ValueError) as error:
            log.error("mail.unreachable", error=type(error).__name__, count=len(jobs))
            why = _in_words(error, "")
            return [_failed(mail, began, why) for job in jobs for mail in job.mails], False
        watch = threading.Timer(MOST_SECONDS, _hang_up, (connection,))
        watch.daemon = True
        watch.start()
        results: list[Result] = []
        try:
            for job in jobs:
                results += self._send_one(connection, job, began)
        finally:
            watch.cancel()
            with suppress(OSError, SMTPException):
                if connection.sock is not None:
                    connection.quit()
            connection.close()
        return results, any(result.status is not None for result in results)

    def _send_one(self, connection: SMTP, job: Job, began: float) -> list[Result]:
        """Send one message. If the round is over or the connection was lost, leave it for the
        next round.
        """
        is_over = time.monotonic() - began > ROUND_SECONDS or self.ending.is_set()
        if is_over or connection.sock is None:
            return [Result(mail, "owed", now()) for mail in job.mails]
        worked = time.thread_time()
        outcome = attempt(connection, job)
        self.ending.wait(min(1.0, RESTS * (time.thread_time() - worked)))
        return outcome


def attempt(connection: SMTP, job: Job) -> list[Result]:
    """Send one message and return what became of its mails."""
    import smtplib  # noqa: PLC0415 - mail is rare

    from worker.mail.messages import message_of  # noqa: PLC0415

    began = time.monotonic()
    state, status, refused, error = "owed", None, False, ""
    try:
        message = message_of(
            job.mails[0].id,
            to=job.to,
            site=job.site,
            letter=job.letter,
            subscription=job.subscription,
        )
        connection.send_message(message)
        state, status = "sent", 250
    except smtplib.SMTPRecipientsRefused as refusal:
        status, answer = next(iter(refusal.recipients.values()))
        error = _answer(status, answer, job.to)
        refused = _is_final(status, answer)
        state = "dead" if refused else "owed"
    except smtplib.SMTPDataError as refusal:
        status = refusal.smtp_code
        error = _answer(status, refusal.smtp_error, job.to)
        state = "dead" if status >= 500 else "owed"
    except smtplib.SMTPResponseException as refusal:  # it does not take our mail at all
        status, error = refusal.smtp_code, _answer(refusal.smtp_code, refusal.smtp_error, job.to)
    except smtplib.SMTPNotSupportedError:
        state, error = "dead", "The mail server does not support addresses with such letters."
    except (OSError, smtplib.SMTPException) as failure:
        error = _in_words(failure, job.to)
        connection.close()
    except Exception as failure:  # one mail that cannot be written must not stop the others
        log.exception("mail.unwritable", exc_info=failure)
        error = f"The mail could not be written ({type(failure).__name__})."
    ms = round((time.monotonic() - began) * 1000)
    told = error or None
    return [Result(mail, state, now(), ms, status, told, refused=refused) for mail in job.mails]


def _is_final(status: int, answer: bytes | str) -> bool:
    """Whether the server says that this address will never take mail. An enhanced code 5.7.x is
    about its rules (RFC 3463), such as who may send, so a later attempt may succeed.
    """
    return status >= 500 and not _text(answer).startswith("5.7.")


def _answer(status: int, answer: bytes | str, to: str) -> str:
    return f"The mail server answered {status}: {_without(to, _text(answer))}"


def _text(answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return " ".join(text.replace("\0", "").split())


def _without(to: str, text: str) -> str:
    """Remove the address: the log of attempts outlives it."""
    return text.replace(to, "(the address)").replace(to.lower(), "(the address)") if to else text


def _in_words(error: Exception, to: str) -> str:
    if isinstance(error, TimeoutError):
        return "The mail server did not answer in time."
    said = _without(to, _text(str(error)))
    return f"The mail server could not be used ({type(error).__name__}: {said})."[:300]


def _failed(mail: Due, began: float, why: str) -> Result:
    return Result(mail, "owed", now(), round((time.monotonic() - began) * 1000), error=why)


def _hang_up(connection: SMTP) -> None:
    import socket  # noqa: PLC0415

    if connection.sock is not None:
        with suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)


# One sender per process, and only while mails are due.

_guard = threading.Lock()
_sender: list[MailSender] = []


def wake() -> None:
    """Send what is due, in the background."""
    if not can_send():
        return
    with _guard:
        if not (_sender and _sender[0].is_alive()):
            _sender[:] = [MailSender()]
            _sender[0].start()


def wait() -> None:
    """Wait until the sender that was woken finds nothing due."""
    with _guard:
        running = _sender[:]
    for each in running:
        each.join()


def stop() -> None:
    """End the sender after its current mail. What it leaves is due when its lease expires."""
    with _guard:
        running = _sender[:]
        _sender.clear()
    for each in running:
        each.ending.set()
        each.join(END_SECONDS)


def send_now() -> None:
    """Send from here what is due, and return when nothing is."""
    MailSender().run()
