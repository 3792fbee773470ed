"""What authors do to their own comments: edit and delete them, for the API and the plain pages."""

from __future__ import annotations

import structlog

from models.failpoints import failpoint
from models.locales.words import read_words
from models.settling.actor import AUTHOR
from models.settling.editing import NotEditable, WhyNot, edit_own
from models.settling.erasing import erase
from models.store.database import begin
from service.comments.submission import NewText
from service.http.problems import Problem
from service.moderation.deciding import publish_soon
from worker.bell import SCREEN, ring_soon

log = structlog.get_logger()


class EditRefused(Problem):
    """A 403 that says why the comment cannot be edited."""

    def __init__(self, why: WhyNot) -> None:
        super().__init__(403, read_words("en").own[f"not_{why}"])
        self.why = why


def edit(comment_id: str, text: NewText) -> None:
    """Take the author's new text, and ring for its screening. Raises `EditRefused`."""
    try:
        with begin() as session:
            is_new = edit_own(session, comment_id, text.body)
    except NotEditable as refused:
        raise EditRefused(refused.why) from None
    failpoint("edited")
    if is_new:
        ring_soon(SCREEN, comment_id)
        log.info("edited", comment=comment_id)


def delete(comment_id: str) -> None:
    """Erase the comment for its author. Its replies keep their place."""
    with begin() as session:
        settled = erase(session, comment_id, by=AUTHOR)
    if settled:
        publish_soon(settled)
