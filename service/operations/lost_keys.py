"""`greenroom secrets replace-lost`: continue with new keys after the old ones are lost forever."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from models.mailing.outbox import ENDED
from models.records import (
    Block,
    Comment,
    Endpoint,
    Mail,
    Mailbox,
    Moderator,
    Notice,
    Proof,
    Reader,
    ReaderKey,
    SignOnSecret,
)
from models.store.database import Base, begin, now
from models.store.keyring import check_keys, replace_keyring
from models.store.secrets import (
    Secrets,
    WrongKeys,
    are_brought,
    forget_secrets,
    from_source,
    generated,
    is_there,
    keep_secrets,
    seal_with,
    secrets_path,
)
from models.webhooks.endpoints import PURPOSE, Sealed, first_secret
from service.operations import Refused

WHY = (
    "Its secret was lost with the installation's keys. Rotate it, give the new one to "
    "the receiver, then enable it."
)


class Loss(NamedTuple):
    """How many values of each kind only the lost keys could decrypt. They are discarded."""

    addresses: int
    second_factors: int
    webhooks: int
    author_blocks: int


def replace_lost_keys() -> Loss:
    """Discard what only the lost keys can decrypt, and use new keys: those that the operator
    provides, or ones made here.

    Comments, decisions and pages stay. Existing receipts, sign-ins and moderators' links stop
    working. Raises `Refused` if the keys exist and are right.
    """
    _refuse_if_nothing_is_lost()
    with begin() as session:
        loss = Loss(
            addresses=_count(session, Comment, Comment.email.is_not(None)),
            second_factors=_count(session, Moderator, Moderator.second_factor.is_not(None)),
            webhooks=_count(session, Endpoint, Endpoint.deleted_at.is_(None)),
            author_blocks=_count(session, Block, _STANDING),
        )
        session.execute(update(Comment).where(Comment.email.is_not(None)).values(email=None))
        _forget_readers(session)
        session.execute(delete(SignOnSecret))
        with_factor = update(Moderator).where(Moderator.second_factor.is_not(None))
        session.execute(
            with_factor.values(second_factor=None, second_factor_used=None, recovery_codes=None)
        )
        session.execute(update(Block).where(_STANDING).values(ended_at=now(), ended_by="lost keys"))
        kept = _new_keys()
        for endpoint in session.scalars(select(Endpoint)):
            secret = first_secret(signs_ed25519=endpoint.signs_ed25519)
            endpoint.sealed = seal_with(
                kept, PURPOSE, Sealed(secrets=(secret,)).model_dump_json().encode()
            )
            endpoint.is_enabled, endpoint.disabled_why = False, WHY
        replace_keyring(session, kept)
    forget_secrets()
    return loss


def _forget_readers(session: Session) -> None:
    """Forget what only the lost keys could find or decrypt about readers: they confirm their
    addresses again, and mail that was owed to them can't be sent.
    """
    owed = update(Mail).where(Mail.state == "owed")
    session.execute(owed.values(**ENDED, state="cancelled", ended_at=now()))
    for record in (Proof, ReaderKey, Mailbox):
        session.execute(delete(record))
    session.execute(update(Reader).values(email=None, email_index=""))
    session.execute(update(Notice).values(contact=None))


_STANDING = (Block.kind == "author") & Block.ended_at.is_(None)


def _count(session: Session, record: type[Base], which: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(record).where(which)) or 0


def _refuse_if_nothing_is_lost() -> None:
    with suppress(WrongKeys):
        check_keys(from_source(), may_record=False)
        raise Refused("The keys exist and can decrypt this database: nothing is lost.")


def _new_keys() -> Secrets:
    """Make new keys. A damaged file is kept under another name, in case somebody can still recover
    it.
    """
    if not are_brought():
        if is_there():
            path = secrets_path()
            path.rename(path.with_name(f"secrets.json.lost-{now():%Y%m%dT%H%M%S}"))
        keep_secrets(generated())
    return from_source()
