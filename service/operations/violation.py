"""A problem that `greenroom doctor` found: the rule, the object, a sentence, and the command that
repairs it.
"""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

MEND = "greenroom doctor --mend"
NOTHING = "no command; see operations/RUNBOOKS.md, Doctor"


class Violation(NamedTuple):
    """`subject` is the kind of thing that `id` names; `command` repairs it, or says that none
    can.
    """

    rule: str
    subject: str
    id: str
    words: str
    command: str

    def __str__(self) -> str:
        where = f", {self.rule}" if self.command == NOTHING else ""  # its row in the runbook
        return f"{self.subject} {self.id}: {self.words}. To fix: {self.command}{where}"


def dashed(id_: object) -> str:
    """Return an identifier in its usual form, because SQLite stores only the 32 digits."""
    text = str(id_)
    return str(UUID(text)) if len(text) == 32 else text
