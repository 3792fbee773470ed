"""Work for the installation as a whole that is owed until it is done, like the due
times of rows.
"""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import When, Word
from models.store.database import Base


class Chore(Base):
    """A row is there while the chore is owed. `due` is when it was last owed anew."""

    __tablename__ = "chores"

    name: Mapped[Word] = mapped_column(primary_key=True)
    due: Mapped[When]
