"""Work that the whole installation owes, as the due times of rows are for single rows."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import When, Word
from models.store.database import Base


class Chore(Base):
    """The row exists while the chore is owed. `due` is when it was last owed again."""

    __tablename__ = "chores"

    name: Mapped[Word] = mapped_column(primary_key=True)
    due: Mapped[When]
