"""Work that is due for the whole installation. (Work for a single row has a due time in that
row.)
"""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import When, Word
from models.store.database import Base


class Chore(Base):
    """The row exists while the chore is due. `due` is when it last became due."""

    __tablename__ = "chores"

    name: Mapped[Word] = mapped_column(primary_key=True)
    due: Mapped[When]
