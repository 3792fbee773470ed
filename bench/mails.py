"""`python -m bench.mails`: 1,000 mails are owed while the mail server is down, slow, or refuses
some.

Each round screens the same number of comments in the same process as the sender: without mail, with
mail to a server that is slow and refuses some, with one that is down, and again without. Prints the
p99 of a screening's time with mail as a ratio to that without, and what became of every mail. Exit
status 1 if a mail was lost, if one that the server accepted never arrived, or if the median of a
ratio is above 1.1. Run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from statistics import median

from sqlalchemy import delete, select

from models.mailing.outbox import owe_mail
from models.records import Mail, MailAttempt, Mailbox
from models.settings import settings
from models.store import keyring
from models.store.database import begin, reading
from models.store.migrate import upgrade
from service.app import create_app
from service.sites import registering
from tests.caller import Client, client_of, posted
from tests.fakes.mail_server import MailServer
from tests.ports import free_port
from worker.mail import sending
from worker.screening.screening import screen_now, warm

MAILS, MOST_RATIO = 1000, 1.1
SLOW_SECONDS = 0.01  # for each answer of the slow server
PATIENCE_SECONDS = 600.0
ENVIRONMENT = {
    "GREENROOM_RATE_LIMITS": "off",
    "GREENROOM_DNS": "127.0.0.1:1",
    "GREENROOM_DNS_SECONDS": "0.05",
    "GREENROOM_MAIL_SCHEDULE": "0,1,1,2,2,2",
}
_number = count()


def main() -> int:
    parsed = argparse.ArgumentParser(description="Mail beside screening.")
    parsed.add_argument("--comments", type=int, default=400, help="screened in each run")
    parsed.add_argument("--rounds", type=int, default=3)
    wanted = parsed.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        client = _system(Path(folder))
        with MailServer(recipient=_refuses_some, seconds=SLOW_SECONDS) as server:
            ratios = [_round(client, server, wanted.comments) for _ in range(wanted.rounds)]
            is_complete = _deliver_all(server)
    middle = [median(each) for each in zip(*ratios, strict=True)]
    print(f"median: slow and refusing × {middle[0]:.2f}, down × {middle[1]:.2f}")
    return 0 if is_complete and max(middle) <= MOST_RATIO else 1


def _refuses_some(to: str) -> str:
    number = int(to.partition("@")[0].removeprefix("reader"))
    if number % 10 == 0:
        return "550 5.1.1 no such user"
    return "451 4.2.1 try later" if number % 10 == 1 else "250 ok"


def _system(folder: Path) -> Client:
    os.environ |= ENVIRONMENT | {
        "GREENROOM_DATA": str(folder),
        "GREENROOM_DATABASE_URL": f"sqlite:///{folder / 'greenroom.db'}",
    }
    settings.cache_clear()
    upgrade()
    keyring.require_keys()
    registering.add_site("demo", ["https://paper.example"])
    warm()
    return client_of(create_app())


def _round(client: Client, server: MailServer, comments: int) -> tuple[float, float]:
    """Return the two ratios of p99: with a slow server that refuses some, and with one that is
    down. The run without mail comes before and after, so that a machine that slows down counts
    for both.
    """
    before = _p99(client, comments)
    with _mailing(server.url):
        slow = _p99(client, comments)
    with _mailing(f"smtp://127.0.0.1:{free_port()}"):
        down = _p99(client, comments)
    alone = (before + _p99(client, comments)) / 2
    print(f"p99 alone {alone:.1f} ms; slow × {slow / alone:.2f}, down × {down / alone:.2f}")
    return slow / alone, down / alone


@contextmanager
def _mailing(url: str) -> Iterator[None]:
    """Owe the mails and let the sender work beside what follows."""
    os.environ["GREENROOM_SMTP_URL"] = url
    settings.cache_clear()
    with begin() as session:
        session.execute(delete(MailAttempt))
        session.execute(delete(Mail))
        session.execute(delete(Mailbox))
    _owe(MAILS)
    sending.wake()
    yield
    sending.stop()
    sending.wait()


def _owe(mails: int) -> None:
    letter = {"subject": "A reply", "paragraphs": ["Zoe replied to your comment."] * 3}
    with begin() as session:
        for number in range(mails):
            to = f"reader{number}@example.org"
            owe_mail(session, site_id=1, to=to, kind="notice_receipt", data=letter)


def _p99(client: Client, comments: int) -> float:
    """Screen comments one by one; return the 99th percentile of the time in milliseconds."""
    ids = []
    for _ in range(comments):
        number = next(_number)
        said = f"Number {number}: the ferry was late again, and nobody told us why."
        ids.append(posted(client, email=f"a{number}@example.org", body=said))
    took = []
    for id_ in ids:
        began = time.perf_counter()
        screen_now([id_])
        took.append((time.perf_counter() - began) * 1000)
    return sorted(took)[int(len(took) * 0.99)]


def _deliver_all(server: MailServer) -> bool:
    """Deliver 1,000 mails of which the server was down at first; return whether each was accepted
    at least once, or is dead with its log.
    """
    server.received.clear()
    server.seconds = 0.0
    port = free_port()
    with _mailing(f"smtp://127.0.0.1:{port}"):
        time.sleep(1)  # down for a while
    os.environ["GREENROOM_SMTP_URL"] = server.url
    settings.cache_clear()
    began = time.monotonic()
    while _owed() and time.monotonic() - began < PATIENCE_SECONDS:
        sending.send_now()
        time.sleep(0.2)
    with reading() as session:
        states = Counter(session.scalars(select(Mail.state)))
        logged = set(session.scalars(select(MailAttempt.mail_id)))
        dead = set(session.scalars(select(Mail.id).where(Mail.state == "dead")))
    arrived = {mail.message["Message-ID"] for mail in server.received}
    again = len(server.received) - len(arrived)
    seconds = time.monotonic() - began
    print(f"{dict(states)} in {seconds:.0f} s; {len(arrived)} arrived, {again} of them twice")
    return states["sent"] == len(arrived) and dead <= logged and states.total() == MAILS


def _owed() -> bool:
    with reading() as session:
        return session.scalar(select(Mail.id).where(Mail.state == "owed").limit(1)) is not None


if __name__ == "__main__":
    sys.exit(main())
