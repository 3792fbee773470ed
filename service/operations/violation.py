"""What `greenroom doctor` found wrong: which truth, on what, in words, and the command that mends
it.
"""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

MEND = "greenroom doctor --mend"
NOTHING = "no command can: see operations/RUNBOOKS.md, Doctor"


class Violation(NamedTuple):
    """`subject` is what kind of thing `id` names; `command` mends it, or says that none can."""

    rule: str
    subject: str
    id: str
    words: str
    command: str

    def __str__(self) -> str:
        where = f", {self.rule}" if self.command == NOTHING else ""  # its row there
        return f"{self.subject} {self.id}: {self.words}. To mend: {self.command}{where}"


def dashed(id_: object) -> str:
    """An identifier as people know it: SQLite keeps the 32 digits alone."""
    text = str(id_)
    return str(UUID(text)) if len(text) == 32 else text
